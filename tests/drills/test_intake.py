"""Drills: web, worker and database die while a file comes in; what is there afterwards is as if nothing had."""

import http.client
import io
from collections import Counter
from threading import Thread
from uuid import uuid4

from django.conf import settings
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from redis import Redis

from audit.models import Event
from cases.intake.files import keep_file
from cases.models import Content, Notice, Report, ReportLine, Source, Unread
from cases.services.receive import BATCH
from tests.drills.world import Workers, assert_verified, restart, wait_for
from tests.factories import SYSTEM, UserFactory

LINES = 10_000


def csv_of(count: int) -> bytes:
    """A file of which 20 % are known and 3 % bad."""
    bad = ("javascript:alert(1)", "http://127.0.0.1/x", "not an address")
    rows = []
    for n in range(count):
        known = n - n % 5 // 4
        address = f"https://img{known % 50}.forum.example/{known:06d}.jpg"
        rows.append(f"{bad[n % 3] if n % 100 in (31, 61, 91) else address};a note\r\n")
    return ("url;note\r\n" + "".join(rows)).encode()


def keep(content: bytes) -> Report:
    """Bring the file in, as the form does."""
    source = Source.objects.get(code="partner")
    return keep_file(io.BytesIO(content), name="a.csv", source=source, by=SYSTEM, now=timezone.now())


def what_is_there() -> tuple[object, ...]:
    """Every line's outcome in order, and how many rows of each kind there are."""
    lines = ReportLine.objects.order_by("report__received_at", "number")
    acts = Event.objects.exclude(act="attribute").values_list("act", "subject")
    return (
        list(lines.values_list("number", "outcome", "reason")),
        [model.objects.count() for model in (Report, Notice, Content, Unread)],
        Counter(acts),
    )


def undisturbed(content: bytes) -> tuple[object, ...]:
    """What is there after a run in which nothing dies; then the database is empty again."""
    report = keep(content)
    call_command("sweep", "intake")
    assert Report.objects.get(pk=report.pk).finished_at is not None
    there = what_is_there()
    call_command("flush", interactive=False, verbosity=0)
    return there


def test_a_file_whose_worker_and_database_die_in_its_middle_ends_as_if_nothing_had(workers: Workers) -> None:
    content = csv_of(LINES)
    expected = undisturbed(content)
    report = keep(content)
    workers.start("jobs", "beat")

    wait_for(lambda: Report.objects.filter(done__gt=0).exists(), within_s=60, say=workers.words)
    workers.kill("jobs")
    done = Report.objects.get().done
    assert 0 < done < LINES, "it must be struck in the middle"
    assert done % BATCH == 0
    restart("postgres")
    Redis.from_url(settings.HOST.redis_url).flushall()
    workers.start("jobs2")
    wait_for(lambda: not Report.objects.unfinished().exists(), within_s=60, say=workers.words)

    workers.stop()
    assert what_is_there() == expected
    assert keep(content) == report
    call_command("sweep", "intake")
    assert what_is_there() == expected, "the second run must add nothing"
    assert_verified()


class Uploader:
    """A member of the staff whose browser sends the form."""

    def __init__(self, port: int) -> None:
        client = Client()
        client.force_login(UserFactory(analyst=True))
        self._port, self._session = port, client.cookies[settings.SESSION_COOKIE_NAME].value

    def _ask(self, method: str, body: bytes = b"", **headers: str) -> http.client.HTTPResponse:
        link = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        cookies = f"{settings.SESSION_COOKIE_NAME}={self._session}; csrftoken={'x' * 32}"
        link.request(method, "/staff/reports/add/", body, {"Cookie": cookies, **headers})
        return link.getresponse()

    def up(self) -> bool:
        """Whether the web answers."""
        return self._ask("GET").status == 200

    def send(self, content: bytes) -> int:
        """Press "Take it in"; the status of the answer."""
        fields = {
            "csrfmiddlewaretoken": "x" * 32,
            "source": str(Source.objects.get(code="partner").pk),
            "token": "t",
        }
        end = uuid4().hex
        parts = [
            f'--{end}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        parts.append(
            f'--{end}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'.encode()
        )
        body = b"".join([*parts, content, f"\r\n--{end}--\r\n".encode()])
        headers = {"Content-Type": f"multipart/form-data; boundary={end}"}
        return self._ask("POST", body, **headers).status


def waits_for_a_lock() -> bool:
    """Whether the web stands before the table that the test has locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'cases_unread'::regclass"
        )
        return bool(cursor.fetchone()[0])


def test_an_upload_whose_web_dies_leaves_nothing_and_sent_again_is_one_report(workers: Workers) -> None:
    content = csv_of(LINES)
    person = Uploader(workers.port)
    workers.start("web")
    wait_for(person.up, within_s=60, say=workers.words)
    sent: list[BaseException] = []

    def send() -> None:
        try:
            person.send(content)
        except OSError as cut:
            sent.append(cut)
        except http.client.HTTPException as cut:
            sent.append(cut)
        finally:
            connection.close()

    sending = Thread(target=send)
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE cases_unread IN ACCESS EXCLUSIVE MODE")
        sending.start()
        # The report is written, its first lines are about to be.
        wait_for(waits_for_a_lock, within_s=60, say=workers.words)
        workers.kill("web")
    sending.join(60)

    assert sent, "no answer was given"
    assert not Report.objects.exists()
    assert not Unread.objects.exists()

    workers.start("web2", "jobs", "beat")
    wait_for(person.up, within_s=60, say=workers.words)
    assert person.send(content) == 302
    wait_for(
        lambda: Report.objects.filter(finished_at__isnull=False).exists(), within_s=60, say=workers.words
    )
    assert person.send(content) == 302

    report = Report.objects.get()
    assert Counter(report.lines.values_list("outcome", flat=True)).total() == report.total == LINES
    assert not Unread.objects.exists()
