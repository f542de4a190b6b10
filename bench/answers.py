"""W6: a provider says of 5,000 notices at once that they are removed, in the portal and by the API.

Limit: one bare UPDATE of the same notices and one INSERT of the same answers, the table's guards asleep: what must
be paid anyway. Naive: a query, a save, an answer and an audit row for each. Ours: the service that both doors call,
with an outcome for each answer and the audit; and both doors whole, from the bytes of the request to the page.
"""

import json
import re
import time
import uuid
from datetime import timedelta

from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from accounts.services import create_key
from audit.record import Actor, record
from bench import world
from bench.measure import Ratio, Workload, measure_in_turn
from cases.models import Notice, Reply
from cases.services.answers import Answer, answer_many

ANSWERS = 5_000
PROVIDER = 1
BY = Actor.system("bench")
NOW = world.NOW + timedelta(minutes=5)


def run(rows: int) -> Workload:
    """Measure among `rows` notices, 5,000 of them with one provider (a tenth where there are fewer)."""
    count = min(ANSWERS, rows // 10)
    made = Workload(6, "bulk answer", {"notices": rows, "answers": count})
    call_command("collectstatic", "--noinput", verbosity=0)
    world.fill(rows, due=0)
    references = _given_to_one(count, rows)
    portal, api = _Portal(references), _Api(references)
    limit, ours, by_portal, by_api = measure_in_turn(
        (_bare, _restore),
        (lambda: _ours(references), _restore),
        (portal.answer, _restore),
        (api.answer, _restore),
    )
    _restore()
    few = references[:: max(count // 1_000, 1)]
    began = time.perf_counter()
    _naive(few)
    naive = (time.perf_counter() - began) / len(few) * count
    made.times |= {
        "limit: bare UPDATE and INSERT": limit,
        "ours, the service": ours,
        "ours, in the portal": by_portal,
        "ours, by the API": by_api,
    }
    for name, spread in (("service", ours), ("portal", by_portal), ("API", by_api)):
        made.ratios[f"limit / {name}"] = Ratio(limit.median / spread.median, 0.3)
        made.ratios[f"naive / {name}"] = Ratio(naive / spread.median, 20)
    made.notes.append(f"ours: {count / ours.median:,.0f} answers/s; limit: {count / limit.median:,.0f}")
    made.notes.append(f"naive: {count / naive:,.0f} answers/s, measured on {len(few):,}")
    return made


def _given_to_one(count: int, rows: int) -> list[str]:
    """Make the provider's notices exactly `count`, spread over the whole table; returns their references."""
    with connection.cursor() as cursor:
        world.guards(cursor, "DISABLE")
        cursor.execute("UPDATE cases_notice SET provider_id = %s WHERE provider_id = %s", [2, PROVIDER])
        cursor.execute(
            "UPDATE cases_notice SET provider_id = %s WHERE id %% %s = 0 AND id / %s <= %s",
            [PROVIDER, rows // count, rows // count, count],
        )
        world.guards(cursor, "ENABLE")
    world.vacuum()
    return list(Notice.objects.of(PROVIDER).order_by("due_at", "pk").values_list("reference", flat=True))


def _bare() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_notice DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE cases_notice SET acknowledged_at = %(now)s, claimed_removed_at = %(now)s, claim_answer = 'waiting',"
            " next_check_at = %(now)s, version = version + 1 WHERE provider_id = %(provider)s",
            {"now": NOW, "provider": PROVIDER},
        )
        cursor.execute(
            "INSERT INTO cases_reply (notice_id, answer, at, claimed_at, by, reason, token)"
            " SELECT id, 'removed', %s, NULL, %s, '', gen_random_uuid() FROM cases_notice WHERE provider_id = %s",
            [NOW, str(BY), PROVIDER],
        )
        cursor.execute("ALTER TABLE cases_notice ENABLE TRIGGER USER")


def _ours(references: list[str]) -> None:
    outcomes = answer_many(
        provider_id=PROVIDER,
        answers=[Answer(reference, Reply.Answer.REMOVED) for reference in references],
        by=BY,
        now=NOW,
    )
    if [each.outcome for each in outcomes] != ["recorded"] * len(references):
        raise RuntimeError("not all of them were recorded")


class _Portal:
    """A colleague of the provider, who has looked at the preview and presses the button."""

    def __init__(self, references: list[str]) -> None:
        member = User.objects.create(
            email="abuse@p1.example",
            name="Abuse",
            roles=["provider_member"],
            language="en",
            provider_id=PROVIDER,
        )
        self._client = Client()
        self._client.force_login(member)
        self._form = {"references": " ".join(references), "answer": "removed", "confirmed": "yes"}
        self._count = f"{len(references):,}"

    def answer(self) -> None:
        page = self._client.post("/portal/answers/", self._form, follow=True)
        if not re.search(
            rf"Recorded for {self._count}|Recorded for {self._count.replace(',', '')}", page.content.decode()
        ):
            raise RuntimeError("the portal did not record them")


class _Api:
    """The provider's own system."""

    def __init__(self, references: list[str]) -> None:
        _key, secret = create_key(
            name="bench", scopes=["notices:answer"], provider_code=f"p{PROVIDER}", by=BY, now=NOW
        )
        self._client = Client(headers={"Authorization": f"Bearer {secret}"})
        answers = [{"reference": reference, "answer": "removed"} for reference in references]
        self._body = json.dumps({"answers": answers})

    def answer(self) -> None:
        reply = self._client.post(
            "/api/v1/notices/answers/",
            self._body,
            content_type="application/json",
            headers={"Idempotency-Key": str(uuid.uuid4())},
        )
        if reply.status_code != 200 or b"refused" in reply.content:
            raise RuntimeError(f"the API did not record them: {reply.status_code}")


def _naive(references: list[str]) -> None:
    """As one would write it at first."""
    for reference in references:
        with transaction.atomic():
            notice = Notice.objects.select_for_update().get(reference=reference, provider=PROVIDER)
            notice.acknowledged_at = notice.claimed_removed_at = notice.next_check_at = NOW
            notice.claim_answer = Notice.ClaimAnswer.WAITING
            notice.version += 1
            notice.save()
            Reply.objects.create(notice=notice, answer="removed", at=NOW, by=str(BY), token=uuid.uuid4())
            record("answer", "notice", notice.pk, by=BY, at=NOW)
            record("reply", "notice", notice.pk, by=BY, at=NOW, data={"answer": "removed"})


def _restore() -> None:
    """Nothing answered, the rows of the run gone, the tables as after a night's vacuum."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_notice DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_event DISABLE TRIGGER USER")
        cursor.execute(
            "UPDATE cases_notice SET acknowledged_at = NULL, claimed_removed_at = NULL, claim_answer = '', version = 3,"
            " next_check_at = notified_at + interval '25 h' WHERE provider_id = %s",
            [PROVIDER],
        )
        cursor.execute("TRUNCATE cases_reply, cases_answersheet, audit_event CASCADE")
        cursor.execute("ALTER TABLE cases_notice ENABLE TRIGGER USER")
        cursor.execute("ALTER TABLE audit_event ENABLE TRIGGER USER")
    world.vacuum()
