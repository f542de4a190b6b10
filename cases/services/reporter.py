"""The public form: anybody reports, gets a number and a code, and may say how to be reached."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.record import Actor, record
from cases.models import FollowUp, Report, Reporter
from cases.models.notice import spelled
from cases.models.reporter import CODE_LENGTH
from cases.services.receive import Line, digest_of, receive, source_of
from cases.services.refused import Invalid, NotFound
from vault.keys import ring

#: The source of all that comes in by the public form.
PUBLIC: Final = "public"


class Contacting(models.TextChoices):
    """Why a member of the staff looks how a reporter can be reached."""

    QUESTION = "question", gettext_lazy("a question about the report")
    POLICE = "police", gettext_lazy("the police ask")
    ASKED = "asked", gettext_lazy("the reporter asks what we keep")


@dataclass(frozen=True, slots=True)
class Person:
    """How to reach a reporter who wants to be; either may be empty."""

    name: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.name or self.email)


@dataclass(frozen=True, slots=True)
class Taken:
    """A report that is in, and the code to follow it by: shown now, and never again by us."""

    report: Report
    code: str = field(repr=False)


def report_publicly(*, token: str, lines: Sequence[Line], person: Person, by: Actor, now: datetime) -> Taken:
    """Take in a report of the public form, whole or not at all. Raises NoLines.

    `token` (a secret of the form as it was shown) makes a second press of the same form the same report with
    the same code, for which nothing needs to be kept.
    """
    parts = _parts(token, lines, person)
    # The code follows from what only the sender holds and from our key: neither alone gives it.
    secret = ring().blind("\0".join(parts), purpose="follow-up code")
    code = spelled(int.from_bytes(secret), CODE_LENGTH)
    with transaction.atomic():
        report = receive(
            source=source_of(PUBLIC),
            way=Report.Way.PUBLIC,
            lines=lines,
            digest=digest_of(*parts),
            by=by,
            now=now,
        )
        digest = FollowUp.digest_of(report.reference, code)
        FollowUp.objects.bulk_create([FollowUp(report=report, code_digest=digest)], ignore_conflicts=True)
        if person:
            reachable = Reporter(report=report)
            reachable.name, reachable.email = person.name, person.email
            Reporter.objects.bulk_create([reachable], ignore_conflicts=True)
    return Taken(report, code)


def was_taken(*, token: str, lines: Sequence[Line], person: Person) -> bool:
    """Whether the same form has been taken in before, so that to send it again adds nothing."""
    digest = digest_of(*_parts(token, lines, person))
    return Report.objects.filter(source__code=PUBLIC, digest=digest).exists()


def reveal_reporter(*, report_id: int, reason: str, by: Actor, now: datetime) -> Person:
    """How to reach the reporter of a report; written down with its `reason`, a code.

    Raises NotFound, Invalid without a reason.
    """
    if reason not in Contacting.values:
        raise Invalid(_("Choose why you look."))
    with transaction.atomic():
        reporter = Reporter.objects.filter(pk=report_id).first()
        if reporter is None:
            raise NotFound(_("The reporter stayed anonymous, or what was kept of them has been erased."))
        record("reveal_reporter", "report", report_id, by=by, at=now, data={"reason": reason})
        return Person(reporter.name, reporter.email)


def _parts(token: str, lines: Sequence[Line], person: Person) -> list[str]:
    """All that was sent, so that the same form with other contents is another report."""
    texts = [text for line in lines for text in (line.url, line.referrer, line.note, line.fault)]
    return ["public form", token, person.name, person.email, *texts]
