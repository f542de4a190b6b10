"""What the page of a notice says: facts, clock, place, history. No rule is decided here."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.names import Names
from cases.admin import timeline
from cases.admin.buttons import BUTTONS, Button
from cases.admin.forms import PressForm, RevealForm
from cases.admin.reporters import named_by, reports_of
from cases.admin.sentences import step_name
from cases.models import Dispatch, DispatchLine, Notice, OriginRequest, ReplyMail, SecondLook, Step
from cases.services import claims


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
    request: HttpRequest, notice: Notice, *, tried: tuple[str, PressForm] | None = None, revealed: str = ""
) -> dict[str, Any]:
    """What the template needs.

    `tried`: the verb and form of a button that came back with faults. `revealed`: the full address, if shown.
    """
    names = Names()
    # Who may still give the second judgement does not read the first one here.
    blind = SecondLook.objects.for_somebody(request.user.pk or 0).filter(notice=notice).exists()
    last_look = notice.sightings.order_by("-seen_at", "-pk").first()
    first_line = (
        notice.dispatch_lines.select_related("dispatch__contact")
        .filter(step="first", dropped_because="")
        .first()
    )
    receipt = ReplyMail.objects.receipts().about(notice).order_by("pk").first()
    return {
        "title": notice.reference,
        "notice": notice,
        "blind": blind,
        "revealed": revealed,
        "reveal": RevealForm(auto_id="reveal_%s") if request.user.has_perm("notice.reveal") else None,
        "offers": _offers(request, notice, tried),
        "dispatch": first_line.dispatch if first_line else None,
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
        "steps": _steps(list(notice.steps.filter(voided=0).order_by("due_at", "pk"))),
        "timeline": timeline.entries(notice, names, blind=blind),
        "asked": _asked(notice) if request.user.has_perm("origin.view") else None,
        "held_by": names.of(notice.hold_by) if notice.hold_by else "",
        "looking": _looking(request, notice, names),
        "took": _took(notice),
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


def _took(notice: Notice) -> list[tuple[str, timedelta]]:
    """Our own clocks, beside the provider's, so that our delay shows as well."""
    spans = (
        (_("judged after"), notice.received_at, notice.assessed_at),
        (_("sent after the judgement"), notice.assessed_at, notice.sent_at),
        (_("accepted after it was sent"), notice.sent_at, notice.notified_at),
    )
    return [(what, end - start) for what, start, end in spans if start and end]


def _steps(steps: list[Step]) -> list[dict[str, Any]]:
    """The ladder for templates/components/steps.html; what was overtaken is left out."""
    now = timezone.now()
    shown = []
    for step in steps:
        if step.outcome == Step.Outcome.OVERTAKEN:
            continue
        state = "late" if step.late else "done" if step.taken_at else "now" if step.due_at <= now else "next"
        shown.append({"name": step_name(step.code), "state": state, "at": step.taken_at or step.due_at})
    return shown
