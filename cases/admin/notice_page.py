"""What the page of a notice says: facts, clock, place, history. No rule is decided here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import ROLE_CHOICES
from accounts.names import Names
from cases import deadlines
from cases.admin import talk as talking
from cases.admin import timeline
from cases.admin.buttons import BUTTONS, Button
from cases.admin.forms import PressForm, RevealForm
from cases.admin.reporters import named_by, reports_of
from cases.admin.sentences import step_name
from cases.models import ILLEGAL, Dispatch, DispatchLine, Notice, OriginRequest, ReplyMail, SecondLook, Step
from cases.services import claims
from cases.services.clocks import Evidence, evidence
from cases.services.enqueue import FIRST


@dataclass(frozen=True)
class Offer:
    """A button with its form, as the page shows it. `is_open` when it came back with faults."""

    button: Button
    form: PressForm
    is_open: bool

    @property
    def url(self) -> str:
        """The name of the address it POSTs to."""
        return f"admin:notice_{self.button.verb}"


@dataclass(frozen=True)
class OwnClock:
    """A clock of the house itself. `start`: None for one that only ends; `end`: None while it runs."""

    name: str
    start: datetime | None
    due_at: datetime
    end: datetime | None

    @property
    def took(self) -> timedelta | None:
        """How long it took; None while it runs."""
        return self.end - self.start if self.start and self.end else None

    @property
    def late(self) -> bool:
        """Whether it took longer than we allow ourselves."""
        return self.end is not None and self.end > self.due_at


#: What started a clock, in words.
KNOWN_BY: Final = {
    Evidence.SERVER: gettext_lazy("Their server accepted it:"),
    Evidence.RELAY: gettext_lazy("Our own relay took it:"),
    Evidence.ANSWER: gettext_lazy("They answered it, so it had arrived:"),
    Evidence.PORTAL: gettext_lazy("The portal showed it to somebody of theirs:"),
}


def load(notice_id: int) -> Notice:
    """A notice with what its page shows. Raises Http404."""
    rows = Notice.objects.select_related(
        "content",
        "provider",
        "attribution__provider",
        "attribution__table",
        "attribution__registration",
        "attribution__behind__provider",
        "attribution__origin",
        "rule",
        "previous",
    )
    return get_object_or_404(rows, pk=notice_id)


def context(
    request: HttpRequest,
    notice: Notice,
    *,
    tried: tuple[str, PressForm] | None = None,
    revealed: str = "",
    talk: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """What the template needs.

    `tried`: the verb and form of a button that came back with faults. `revealed`: the full address, if shown.
    `talk`: what came back of the part that is about the provider (talk.py).
    """
    names = Names()
    # Who may still give the second judgement does not read the first one here.
    blind = SecondLook.objects.for_somebody(request.user.pk or 0).filter(notice=notice).exists()
    last_look = notice.sightings.order_by("-seen_at", "-pk").first()
    lines = list(notice.dispatch_lines.select_related("dispatch__contact").order_by("pk"))
    first_line = next((line for line in lines if line.step == FIRST and not line.dropped_because), None)
    receipt = ReplyMail.objects.receipts().about(notice).order_by("pk").first()
    return {
        "title": notice.reference,
        "notice": notice,
        "blind": blind,
        "revealed": revealed,
        "reveal": RevealForm(auto_id="reveal_%s") if request.user.has_perm("notice.reveal") else None,
        "offers": _offers(request, notice, tried),
        "leaves": _leaves(notice, first_line),
        "observed_at": last_look.seen_at if last_look else None,
        "observed_as": last_look.outcome if last_look else "",
        "accepted_note": _("estimated") if notice.notified_estimated else "",
        "receipt_at": receipt.received_at if receipt else None,
        "receipt_note": receipt.ticket if receipt else "",
        "answered_at": notice.disputed_at or notice.claimed_removed_at or notice.acknowledged_at,
        "answered_as": _answered_as(notice),
        "observed_note": f"HTTP {last_look.http_status}" if last_look and last_look.http_status else "",
        "ended": (notice.gone_since if notice.removed_at else None) or notice.closed_at,
        "reports": reports_of(notice),
        "named_by": named_by(notice),
        "followers": list(notice.followers.order_by("pk")),
        "steps": _steps(list(notice.steps.filter(voided=0).order_by("due_at", "pk")), names),
        "timeline": timeline.entries(notice, names, blind=blind),
        "asked": _asked(notice) if request.user.has_perm("origin.view") else None,
        "held_by": names.of(notice.hold_by) if notice.hold_by else "",
        "looking": _looking(request, notice, names),
        "own_clocks": [] if blind else _own_clocks(notice),
        "why_due": _why_due(notice, lines),
        "talk": talking.part_of(request, notice, names, **(talk or {})),
    }


def _asked(notice: Notice) -> OriginRequest | None:
    """The question that it waits for, when a CDN or proxy stands before the server."""
    if notice.hold_review != Notice.Review.CDN_ORIGIN or notice.provider_id is None:
        return None
    waits = OriginRequest.objects.filter(
        proxy=notice.provider_id, host_key=notice.content.host_key, outcome=OriginRequest.Outcome.WAITS
    )
    return waits.first()


def _leaves(notice: Notice, line: DispatchLine | None) -> Dispatch | None:
    """The message that a notice still waits on, and can be taken off."""
    if line is None or notice.state != Notice.State.RECEIVED or notice.sent_at is not None:
        return None
    waits = line.dispatch.state == Dispatch.State.PENDING and not line.dispatch.attempt
    return line.dispatch if waits else None


def _looking(request: HttpRequest, notice: Notice, names: Names) -> str:
    """The colleague who has it before them on the work desk just now, or ""."""
    holder = claims.holders([notice.pk], now=timezone.now()).get(notice.pk)
    return names.of(f"user:{holder}") if holder not in (None, request.user.pk) else ""


def _offers(request: HttpRequest, notice: Notice, tried: tuple[str, PressForm] | None) -> list[Offer]:
    verb, faulty = tried or ("", None)
    return [
        Offer(
            button,
            faulty
            if faulty is not None and button.verb == verb
            else button.form(initial={"version": notice.version}, auto_id=f"{button.verb}_%s"),
            is_open=button.verb == verb,
        )
        for button in BUTTONS
        if request.user.has_perm(button.cell) and (button.offered(notice) or button.verb == verb)
    ]


def _answered_as(notice: Notice) -> str:
    """The strongest thing a human said, as a code of takedown/look.py."""
    if notice.disputed_at:
        return "disputed"
    if notice.claimed_removed_at:
        return "claimed"
    return "acknowledged" if notice.acknowledged_at else ""


def _own_clocks(notice: Notice) -> list[OwnClock]:
    """Our own clocks, beside the provider's, so that our delay shows as well. They touch nothing of the provider's."""
    host = settings.HOST
    spans = [(_("to judge it"), notice.received_at, notice.assessed_at, host.judge_within)]
    if notice.assessed_at is not None and notice.legal_class in ILLEGAL:
        spans.append((_("to bring it to them"), notice.assessed_at, notice.notified_at, host.accept_within))
    clocks = [
        OwnClock(what, start, deadlines.due_at(start, within), end or notice.closed_at)
        for what, start, end, within in spans
    ]
    if notice.hold and notice.hold_until is not None and notice.state == Notice.State.RECEIVED:
        clocks.append(OwnClock(_("held until"), None, notice.hold_until, None))
    return clocks


def _why_due(notice: Notice, lines: Sequence[DispatchLine]) -> dict[str, Any]:
    """What started the provider's clock, and whether the clocks of Amsterdam change while it runs."""
    if notice.notified_at is None or notice.due_at is None:
        return {}
    known_by, dispatch = evidence(
        notice,
        dispatches=[line.dispatch for line in lines],
        answered=notice.replies.values_list("at", flat=True),
    )
    return {
        "known_by": KNOWN_BY[known_by],
        "dispatch": dispatch,
        "shift": deadlines.wall_shift(notice.notified_at, notice.due_at),
    }


def _steps(steps: list[Step], names: Names) -> list[dict[str, Any]]:
    """The ladder for templates/components/steps.html; what was overtaken is left out."""
    now = timezone.now()
    roles: dict[str, Any] = {str(role): name for role, name in ROLE_CHOICES}
    shown = []
    for step in steps:
        if step.outcome == Step.Outcome.OVERTAKEN:
            continue
        state = "late" if step.late else "done" if step.taken_at else "now" if step.due_at <= now else "next"
        notes = [str(step.get_sooner_display())] if step.sooner else []
        if step.acknowledged_at:
            notes.append(_("%(who)s sees to it") % {"who": names.of(step.acknowledged_by)})
        elif step.asked_at:
            notes.append(_("asked of: %(role)s") % {"role": roles.get(step.owner, step.owner)})
        if step.outcome == Step.Outcome.CALLED:
            notes.append(str(step.get_outcome_display()))
        shown.append(
            {
                "name": step_name(step.code),
                "state": state,
                "at": step.taken_at or step.due_at,
                "note": "; ".join(notes),
            }
        )
    return shown
