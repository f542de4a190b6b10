"""A dump of the database gives away no address, no host and nobody's words."""

import os
import subprocess

import pytest
from django.db import connection

from audit.record import Actor
from cases.models import Mailbox, MailCopy, Notice
from cases.services import answers, assess, keep, mailbox, receive, reporter
from cases.services.route import attribute_new, route_due
from cases.services.sending import deliver_due
from local.servers import postgres_programs
from tests.conftest import FixedResolver
from tests.factories import (
    NOON,
    SYSTEM,
    ContactFactory,
    HostRuleFactory,
    NetworkFactory,
    SourceFactory,
    UserFactory,
)
from tests.mailserver import MailServer

HOST, PATH = "very-rare-host-name.example", "very-rare-path-name"
WORDS = "very-rare-words-of-a-reporter"


def dump() -> str:
    """What pg_dump writes of the test database."""
    database = connection.settings_dict
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    done = subprocess.run(
        [postgres_programs() / "pg_dump", "-h", database["HOST"], "-U", database["USER"], database["NAME"]],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.django_db(transaction=True)
def test_a_dump_after_a_whole_case_holds_neither_host_nor_path_nor_words(
    mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    ContactFactory(approved=True, mode="attachment")
    NetworkFactory()
    HostRuleFactory(pattern=f"sub.{HOST}")
    lines = [
        receive.Line(f"https://{HOST}/{PATH}/1.jpg", note=WORDS, referrer=f"https://{HOST}/{PATH}"),
        receive.Line(f"https://example.com@{HOST}/{PATH}", note=WORDS),
        receive.Line(f"javascript://{HOST}/{PATH}", note=WORDS),
    ]
    receive.receive(source=SourceFactory(), way="file", lines=lines, by=SYSTEM, now=NOON)
    notice = Notice.objects.get()
    taken = reporter.report_publicly(
        token="t" * 43, lines=lines, person=reporter.Person(WORDS, f"{WORDS}@{HOST}"), by=SYSTEM, now=NOON
    )
    attribute_new(resolver=static_resolver, by=SYSTEM, now=NOON)
    assess.assess(
        notice_id=notice.pk,
        legal_class="baseline",
        note=WORDS,
        urgent=True,
        by=Actor.of(UserFactory(analyst=True)),
        now=NOON,
    )
    route_due(resolver=static_resolver, by=SYSTEM, now=NOON)
    deliver_due(resolver=static_resolver, by=SYSTEM, clock=lambda: NOON)
    answers.answer_many(
        provider_id=ContactFactory(approved=True).provider_id,
        answers=[answers.Answer(notice.reference, "need_information", note=WORDS)],
        by=SYSTEM,
        now=NOON,
    )

    (received,) = mail_server.accepted
    (file,) = received.message.iter_attachments()
    assert PATH in str(file.get_content()), "the provider must have been told"
    # And a second report that nobody has read yet.
    waiting = keep.keep(source=SourceFactory(), way="file", lines=lines, digest=None, by=SYSTEM, now=NOON)
    # And a mail of a stranger.
    arrived = mailbox.Arrived(
        "digest", "contents", 1, message_id=f"<{WORDS}@{HOST}>", sender=f"{WORDS}@{HOST}", domain=HOST,
        subject=f"{WORDS} https://{HOST}/{PATH}", texts=(("", f"https://{HOST}/{PATH}"),), total=1,
    )  # fmt: skip
    box = Mailbox.objects.create(name="test")
    copy = MailCopy.objects.create(mailbox=box, uid_validity=1, uid=1)
    mail = mailbox.keep(arrived=arrived, copy=copy, by=SYSTEM, now=NOON)
    stolen = dump()
    assert mail.reference in stolen
    assert waiting.unread.exists()
    assert notice.reference in stolen, "the dump must hold the case"
    assert taken.report.reference in stolen
    for secret in (HOST, PATH, WORDS, taken.code):
        # As text, and as the hexadecimal in which pg_dump writes bytes.
        assert secret not in stolen
        assert secret.encode().hex() not in stolen
