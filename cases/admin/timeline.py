"""The history of a notice in one line of time: acts, judgements, messages, answers, looks."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.names import Names
from audit.models import Event
from cases.admin.sentences import step_name, told
from cases.models import Notice, Reply, Sighting, Step

Entry = dict[str, Any]

#: The newest of each; a notice that is watched for months has more looks than anybody reads.
NEWEST: Final = 500
# What these events say is told by their own rows, with more in it.
_TOLD_BY_ROWS: Final = frozenset({"reply", "answer"})


def entries(notice: Notice, names: Names) -> list[Entry]:
    """All that is known of a notice, newest first. Six queries, whatever its length."""
    events = Event.objects.filter(subject="notice", subject_id=notice.pk).exclude(act__in=_TOLD_BY_ROWS)
    told_events = (
        told(event, names.of(event.actor))
        for event in events.order_by("-pk")[:NEWEST]
        # A look without a conclusion is told by its sighting.
        if event.act != "observe" or event.became
    )
    parts: Iterable[Iterable[Entry]] = (
        told_events,
        _judgements(notice),
        _messages(notice, names),
        _answers(notice.replies.order_by("-pk")[:NEWEST], names),
        _looks(list(notice.sightings.order_by("-seen_at", "-pk")[:NEWEST])),
        _steps(notice, names),
    )
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry["at"], reverse=True)


def _judgements(notice: Notice) -> Iterator[Entry]:
    """Only a judgement's note: the judgement itself is told by its event."""
    for assessment in notice.assessments.select_related("assessor"):
        if assessment.note:
            yield {
                "at": assessment.at,
                "text": _("Note with the judgement"),
                "detail": assessment.note,
                "icon": "document",
                "by": str(assessment.assessor),
            }


def _messages(notice: Notice, names: Names) -> Iterator[Entry]:
    lines = notice.dispatch_lines.select_related("dispatch__contact__provider")
    for line in lines:
        dispatch = line.dispatch
        link = format_html(
            '<a href="{}">{}</a>',
            reverse("admin:cases_dispatch_change", args=[dispatch.pk]),
            dispatch.number,
        )
        step = step_name(line.step)
        yield {
            "at": dispatch.created_at,
            "text": format_html(_("On the message {}: {}, to {}"), link, step, dispatch.contact.provider),
            "detail": line.get_dropped_because_display() if line.dropped_because else "",
            "icon": "mail",
        }
        if dispatch.accepted_at and not line.dropped_because:
            yield {
                "at": dispatch.accepted_at,
                "text": format_html(_("Their server accepted {} ({})"), link, step),
                "detail": dispatch.evidence,
                "tone": "good",
                "icon": "check",
            }


def _answers(replies: Iterable[Reply], names: Names) -> Iterator[Entry]:
    for reply in replies:
        yield {
            "at": reply.at,
            "text": _("The provider says: %(answer)s") % {"answer": reply.get_answer_display()},
            "detail": " ".join(filter(None, [reply.reason, reply.note])),
            "tone": "info",
            "icon": "person",
            "by": names.of(reply.by),
        }


def _looks(sightings: Sequence[Sighting]) -> Iterator[Entry]:
    """Looks that follow one another and saw the same are one entry."""
    tones = {"online": ("bad", "eye"), "gone": ("good", "eye-off"), "changed": ("good", "refresh")}
    for outcome, run in groupby(sightings, key=lambda sighting: sighting.outcome):
        looks = list(run)
        last, first = looks[0], looks[-1]
        tone, icon = tones.get(outcome, ("calm", "question"))
        count = ngettext("%(count)d look", "%(count)d looks", len(looks)) % {"count": len(looks)}
        since = ""
        if last.seen_at - first.seen_at >= timedelta(minutes=1):
            since = _("since %(at)s UTC") % {"at": f"{first.seen_at:%Y-%m-%d %H:%M}"}
        status = f"HTTP {last.http_status}" if last.http_status else ""
        yield {
            "at": last.seen_at,
            "text": _("What we see: %(outcome)s") % {"outcome": last.get_outcome_display()},
            "detail": ", ".join(filter(None, [count, since, status])),
            "tone": tone,
            "icon": icon,
            "by": last.vantage,
        }


def _steps(notice: Notice, names: Names) -> Iterator[Entry]:
    for step in notice.steps.exclude(taken_at__isnull=True).exclude(outcome=Step.Outcome.OVERTAKEN):
        late = _("late") if step.late else ""
        outcome = step.get_outcome_display() if step.outcome else ""
        yield {
            "at": step.taken_at,
            "text": _("Step: %(step)s") % {"step": step_name(step.code)},
            "detail": ", ".join(filter(None, [outcome, late])),
            "tone": "warn",
            "icon": "bell",
        }
