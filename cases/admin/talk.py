"""What passed between a provider and us, as a part of the page of a notice."""

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import Names
from cases.models import Forwarding, Message, Notice
from cases.models.dispute import LONGEST_WHY
from cases.models.reply import LONGEST_NOTE
from cases.url import without_addresses

#: Of one notice, on its page.
_SHOWN: Final = 100


class WriteForm(forms.Form):
    """A message to the provider of a notice."""

    text = forms.CharField(
        label=gettext_lazy("Write to the provider"),
        help_text=gettext_lazy(
            "They read it in the portal; a mail says only that it waits. Your name is not shown."
        ),
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class RejectForm(forms.Form):
    """Why it is theirs after all."""

    why = forms.CharField(
        label=gettext_lazy("Why, in one sentence"),
        help_text=gettext_lazy("The provider reads it. Without an address, please."),
        max_length=LONGEST_WHY,
    )


@dataclass(frozen=True)
class Said:
    """A message as the staff reads it. `words`: without addresses, unless somebody asked for all of it."""

    message: Message
    words: str
    by: str
    is_whole: bool
    waits: bool


def part_of(
    request: HttpRequest,
    notice: Notice,
    names: Names,
    *,
    write: WriteForm | None = None,
    reject: RejectForm | None = None,
    whole: int | None = None,
) -> dict[str, Any]:
    """What passed between the provider and us, for templates/staff/talk.html; {} before anything was sent.

    `whole`: the message that is shown with its addresses, right after that was written down.
    """
    if notice.sent_at is None or not request.user.has_perm("message.view"):
        return {}
    written = list(notice.messages.select_related("reply").order_by("-at", "-pk")[:_SHOWN])
    forwardings = list(notice.forwardings.select_related("to").order_by("-at", "-pk")[:_SHOWN])
    objections = list(notice.disputes.select_related("reply").order_by("-at", "-pk")[:_SHOWN])
    told = {each.pk: each for each in forwardings}
    place = next((each for each in objections if each.is_about_place and not each.outcome), None)
    may_write = request.user.has_perm("message.write")
    waits = [message for message in written if _waits(message)]
    return {
        "said": [_said(message, names, told, whole=message.pk == whole) for message in written],
        "waits": len(waits),
        "write": write or WriteForm(auto_id="write_%s") if may_write else None,
        "objections": [
            {"dispute": each, "reason": without_addresses(each.reply.reason)} for each in objections
        ],
        "place": place,
        "reject": reject or RejectForm(auto_id="reject_%s")
        if place and request.user.has_perm("dispute.decide")
        else None,
        "is_rejecting": reject is not None,
        "forwardings": [{"row": each, "name": without_addresses(each.name)} for each in forwardings],
    }


def _waits(message: Message) -> bool:
    return message.side == Message.Side.PROVIDER and message.handled_at is None


def _said(message: Message, names: Names, told: dict[int, Forwarding], *, whole: bool) -> Said:
    words = message.words
    passed_on = told.get(message.forwarding_id or 0)
    if passed_on is not None and passed_on.expected_by is not None:
        words = _("Their customer was to act by %(at)s UTC, and our check has seen it online since.") % {
            "at": f"{passed_on.expected_by:%Y-%m-%d %H:%M}"
        }
    return Said(
        message=message,
        words=words if whole else without_addresses(words),
        by=names.of(message.by),
        is_whole=whole or words == without_addresses(words),
        waits=_waits(message),
    )
