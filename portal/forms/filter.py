"""Which notices a list shows."""

import ipaddress
import re
from datetime import datetime, timedelta
from typing import Final

from django import forms
from django.db.models import Q
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from cases.models import Notice
from cases.models.notice import NOTICE_REFERENCE, NoticeQuerySet

_REFERENCE: Final = re.compile(NOTICE_REFERENCE)
#: The beginning of an address, as one types it while looking for a range.
_ADDRESS: Final = re.compile(
    r"[0-9]{1,3}(\.[0-9]{0,3}){1,3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){1,7}", re.IGNORECASE
)
#: What is due within this is due soon.
SOON: Final = timedelta(hours=4)


class Filter(forms.Form):
    """Which of the provider's notices to list. Every field may be left out; others are ignored."""

    TABS = (("open", _("Open")), ("answered", _("Answered")), ("removed", _("Removed")), ("all", _("All")))
    DUE = (
        ("", _("at any time")),
        ("over", _("overdue")),
        ("4h", _("within 4 hours")),
        ("24h", _("within 24 hours")),
    )
    ONLY = (("", ""), ("contradicted", ""))

    tab = forms.ChoiceField(choices=TABS, required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        label=_("Reference, IP address or your own reference"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    due = forms.ChoiceField(label=_("Due"), choices=DUE, required=False)
    only = forms.ChoiceField(choices=ONLY, required=False, widget=forms.HiddenInput)
    after = forms.RegexField(regex=rf"^{NOTICE_REFERENCE}\Z", required=False)
    before = forms.RegexField(regex=rf"^{NOTICE_REFERENCE}\Z", required=False)

    @property
    def tab_name(self) -> str:
        """The chosen tab; "open" when none was."""
        return str(self.cleaned_data.get("tab") or "open")

    @property
    def latest_first(self) -> bool:
        """What is open begins with what is due first; the rest with what was sent last."""
        return self.tab_name in {"removed", "all"}

    @property
    def query(self) -> str:
        """The filter as a query string, without the page."""
        kept = {name: self.cleaned_data.get(name) for name in ("tab", "q", "due", "only")}
        return urlencode({name: value for name, value in kept.items() if value})

    @property
    def narrows(self) -> bool:
        """Whether it leaves out something of its tab."""
        return any(self.cleaned_data.get(name) for name in ("q", "due", "only"))

    def applied(self, own: NoticeQuerySet, *, now: datetime) -> NoticeQuerySet:
        """The notices of `own` that it lets through. Call it when valid."""
        chosen = own
        match self.tab_name:
            case "open":
                chosen = own.unfinished()
            case "answered":
                chosen = own.unfinished().filter(acknowledged_at__isnull=False)
            case "removed":
                chosen = own.filter(state=Notice.State.REMOVED)
        match self.cleaned_data.get("due"):
            case "over":
                chosen = chosen.overdue(now=now)
            case "4h":
                chosen = chosen.filter(due_at__gt=now, due_at__lte=now + SOON)
            case "24h":
                chosen = chosen.filter(due_at__gt=now, due_at__lte=now + timedelta(hours=24))
        if self.cleaned_data.get("only") == "contradicted":
            chosen = chosen.contradicted()
        text = self.cleaned_data.get("q", "")
        return chosen.filter(_matching(text)) if text else chosen


def _matching(text: str) -> Q:
    """What a person may mean: a reference, an address or the beginning of one, or their own words."""
    if _REFERENCE.fullmatch(text.upper()):
        return Q(reference=text.upper())
    own_words = Q(customer_reference__icontains=text)
    try:
        return own_words | Q(attribution__address=str(ipaddress.ip_address(text)))
    except ValueError:
        if _ADDRESS.fullmatch(text):
            return own_words | Q(attribution__address__startswith=text.lower())
    return own_words | Q(reference__startswith=text.upper())
