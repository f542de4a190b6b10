"""Buttons of a case: call the service, and say in full who was first when somebody was."""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.urls import reverse
from django.utils.dateformat import format as date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from accounts.names import Names
from audit import desk
from audit.refused import Refused
from cases.admin.sentences import sentence
from cases.services.refused import Stale

T = TypeVar("T")


def said(refusal: Refused) -> str:
    """A refusal in words; one for a stale version says what was done meanwhile, by whom, when, and where to see it."""
    if not isinstance(refusal, Stale):
        return str(refusal)
    text = _("%(who)s was first: “%(what)s” (%(at)s UTC). Nothing of yours was saved; look again.") % {
        "who": Names().of(refusal.by),
        "what": sentence(refusal.act).text,
        "at": date_format(refusal.at, "j M H:i:s") if refusal.at else "?",
    }
    there = reverse("admin:cases_notice_change", args=[refusal.notice_id])
    return format_html('{} <a href="{}">{}</a>', text, there, _("See what happened"))


def press(request: HttpRequest, act: Callable[[], T], done: str) -> T | None:
    """Call the service behind a button and say what became of it; None when it refused."""
    return desk.press(request, act, done, words=said)
