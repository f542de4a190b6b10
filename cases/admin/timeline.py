"""The history of a notice in one line of time: acts, judgements, messages, answers, looks."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.names import Names
from audit.models import Event
from cases.admin.sentences import step_name, told
from cases.admin.words import in_words
from cases.models import Dispatch, Notice, Reply, ReplyMail, Sighting, Step
from cases.services.observe import PERSON

Entry = dict[str, Any]

#: The newest of each; a notice that is watched for months has more looks than anybody reads.
NEWEST: Final = 500
# What these events say is told by their own rows, with more in it.
_TOLD_BY_ROWS: Final = frozenset({"reply", "answer", "want_second", "judge_again", "settle_second"})
#: Done anew each time that a provider's system asks for a notice.
_REPEATED: Final = frozenset({"reveal"})
# These would tell how it was judged.
_TELLING: Final = frozenset({"assess", "hold", "dismiss"})


def entries(notice: Notice, names: Names, *, blind: bool = False) -> list[Entry]:
    """All that is known of a notice, newest first. Nine queries, whatever its length.

    `blind`: without how it was judged, for who may still judge it a second time.
    """
    silent = _TOLD_BY_ROWS | (_TELLING if blind else frozenset())
    parts: Iterable[Iterable[Entry]] = (
        _events(notice, names, silent),
        [] if blind else _judgements(notice),
        [] if blind else _second_looks(notice),
        _messages(notice, names),
        _came_back(notice),
        _answers(notice.replies.order_by("-pk")[:NEWEST], names),
        _looks(list(notice.sightings.order_by("-seen_at", "-pk")[:NEWEST]), names),
        _steps(notice, names),
    )
    return sorted((entry for part in parts for entry in part), key=lambda entry: entry["at"], reverse=True)


def _events(notice: Notice, names: Names, silent: frozenset[str]) -> Iterator[Entry]:
    """What the audit says; what a machine does each time that it asks is one entry, as long as nothing else happened."""
    events = Event.objects.filter(subject="notice", subject_id=notice.pk).exclude(act__in=silent)
    # A look without a conclusion is told by its sighting.
    heard = (event for event in events.order_by("-pk")[:NEWEST] if event.act != "observe" or event.became)
    for _same, run in groupby(heard, key=_machine_or_one):
        last, *earlier = run
        # Who handed it over is nobody's business here; the audit knows.
        entry = told(last, "" if last.act == "hand_over" else names.of(last.actor))
        if earlier:
            entry["detail"] = _("%(count)d times since %(at)s UTC") % {
                "count": len(earlier) + 1,
                "at": f"{earlier[-1].at:%Y-%m-%d %H:%M}",
            }
        yield entry


def _machine_or_one(event: Event) -> str | int:
    return event.actor if event.act in _REPEATED and event.actor.startswith("key:") else event.pk


def _judgements(notice: Notice) -> Iterator[Entry]:
    """What each judgement says, in the words of its version, and its note. That it was given is an event."""
    judgements = list(notice.assessments.select_related("assessor"))
    for assessment, said in zip(judgements, in_words(judgements), strict=True):
        text = _("Taken over from an earlier judgement") if assessment.taken_from_id else _("The judgement")
        yield {
            "at": assessment.at,
            "text": f"{text}: {said}",
            "detail": assessment.note,
            "icon": "document",
            "by": str(assessment.assessor),
        }


def _second_looks(notice: Notice) -> Iterator[Entry]:
    for look in notice.second_looks.select_related("settled_by"):
        yield {
            "at": look.wanted_at,
            "text": _("A second judgement is wanted"),
            "detail": str(look.get_why_display()),
            "icon": "person",
        }
        if look.settled_at:
            yield {
                "at": look.settled_at,
                "text": _("Second judgement: %(outcome)s") % {"outcome": look.get_outcome_display()},
                "tone": "info",
                "icon": "check",
                "by": str(look.settled_by or ""),
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
        came_back = dispatch.state == Dispatch.State.BOUNCED
        if dispatch.accepted_at and (came_back or not line.dropped_because):
            yield {
                "at": dispatch.accepted_at,
                "text": format_html(_("Their server accepted {} ({})"), link, step),
                "detail": dispatch.evidence,
                "tone": "good",
                "icon": "check",
            }
        if came_back:
            yield {
                "at": dispatch.bounced_at,
                "text": format_html(_("{} came back undelivered ({})"), link, step),
                "detail": dispatch.trouble_answer,
                "tone": "bad",
                "icon": "return",
            }


def _came_back(notice: Notice) -> Iterator[Entry]:
    """Receipts of their machines, and what people wrote: what else comes back is told of its message."""
    told = Q(kind__in=[ReplyMail.Kind.RECEIPT, ReplyMail.Kind.ANSWER])
    for mail in ReplyMail.objects.about(notice).filter(told).defer("text_sealed").order_by("-pk")[:NEWEST]:
        is_receipt = mail.kind == ReplyMail.Kind.RECEIPT
        yield {
            "at": mail.received_at,
            "text": _("Their machine took it in") if is_receipt else _("A person wrote back"),
            "detail": mail.ticket or mail.reference,
            "tone": "calm" if is_receipt else "info",
            "icon": "inbox" if is_receipt else "mail",
        }


def _answers(replies: Iterable[Reply], names: Names) -> Iterator[Entry]:
    for reply in replies:
        yield {
            "at": reply.at,
            "text": (
                _("The provider says, too late: %(answer)s")
                if reply.late
                else _("The provider says: %(answer)s")
            )
            % {"answer": reply.get_answer_display()},
            "detail": " ".join(filter(None, [reply.reason, reply.note])),
            "tone": "info",
            "icon": "person",
            "by": names.of(reply.by),
        }


def _looks(sightings: Sequence[Sighting], names: Names) -> Iterator[Entry]:
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
            "by": names.of(last.by) if last.vantage == PERSON else last.vantage,
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
