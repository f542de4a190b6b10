"""Six new reports, from import to removal or escalation, with a term of two minutes and no hand touching them.

The system that `make run` started does everything but two things: the reports are imported here, and an analyst
of the demo judges them. Alfa answers and takes its pages down; Bravo does neither.
"""

import secrets
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from audit.record import Actor
from cases.models import LegalClass, Notice, Report, Source
from cases.services import assess, receive, rules

TERM = timedelta(minutes=2)
LONGEST = timedelta(minutes=5)
HOSTS = ("alfa.live.example", "bravo.live.example")


def play(*, say: Callable[[str], object]) -> bool:
    """Run it and tell each change; True when all of Alfa's were removed and all of Bravo's escalated."""
    began = timezone.now()
    analyst = Actor.of(User.objects.filter(roles__contains=["analyst"]).order_by("pk")[:1].get())
    usual = rules.rule_at(began).term
    rules.set_term(term=TERM, valid_from=began, by=Actor.system("demo"), now=began)
    say(f"the term is now {TERM}; six reports come in")
    urls = [f"http://{host}/live/{secrets.token_hex(4)}.html" for host in HOSTS for _ in range(3)]
    report = receive.receive(
        source=Source.objects.get(code="partner"),
        way=Report.Way.FORM,
        lines=[receive.Line(url) for url in urls],
        by=analyst,
        now=began,
    )
    ours = list(report.lines.values_list("notice_id", flat=True))
    for notice_id in ours:
        assess.assess(notice_id=notice_id, legal_class=LegalClass.BASELINE, by=analyst, now=timezone.now())
    try:
        return _watch(ours, say=say, until=began + LONGEST)
    finally:
        now = timezone.now()
        rules.set_term(term=usual, valid_from=now, by=Actor.system("demo"), now=now)
        say(f"the term is {usual} again")


def _watch(ids: list[int], *, say: Callable[[str], object], until: datetime) -> bool:
    shown: dict[int, str] = {}
    began = timezone.now()
    while timezone.now() < until:
        notices = list(Notice.objects.filter(pk__in=ids).select_related("provider").order_by("pk"))
        for notice in notices:
            facts = _facts(notice)
            if shown.get(notice.pk) != facts:
                shown[notice.pk] = facts
                seconds = (timezone.now() - began).total_seconds()
                say(f"{seconds:6.1f} s  {notice.reference}  {notice.provider or '?'}: {facts}")
        ends = {"alfa": Notice.State.REMOVED, "bravo": Notice.State.ESCALATED}
        if all(notice.provider and notice.state == ends.get(notice.provider.code) for notice in notices):
            return True
        time.sleep(0.5)
    return False


def _facts(notice: Notice) -> str:
    said = [
        word
        for word, instant in (
            ("acknowledged", notice.acknowledged_at),
            ("says removed", notice.claimed_removed_at),
            ("seen online", notice.last_seen_online_at),
        )
        if instant is not None
    ]
    return ", ".join([notice.state, *said])
