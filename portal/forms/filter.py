"""Which notices a list shows."""

import ipaddress
import re
from datetime import datetime, timedelta
from typing import Final

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.http import urlencode
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.models import Message, Notice, Reply
from cases.models.notice import NOTICE_REFERENCE, NoticeQuerySet, is_address
from portal import keyset

_REFERENCE: Final = re.compile(NOTICE_REFERENCE)
#: The beginning of an address, as one types it while looking for a range.
_ADDRESS: Final = re.compile(
    r"[0-9]{1,3}(\.[0-9]{0,3}){1,3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){1,7}", re.IGNORECASE
)
#: What is due within this is due soon.
SOON: Final = timedelta(hours=4)
#: Stands for the address of what was placed without one.
UNKNOWN: Final = "unknown"

_DUE: Final = {"4h": SOON, "24h": timedelta(hours=24)}
_AGE: Final = {"24h": timedelta(hours=24), "3d": timedelta(days=3), "7d": timedelta(days=7)}


class Filter(forms.Form):
    """Which of the provider's notices to list, and how. Every field may be left out; others are ignored."""

    TABS = (("open", _("Open")), ("answered", _("Answered")), ("removed", _("Removed")), ("all", _("All")))
    DUE = (
        ("", _("at any time")),
        ("over", _("overdue")),
        ("4h", _("within 4 hours")),
        ("24h", _("within 24 hours")),
    )
    AGE = (
        ("", _("at any time")),
        ("24h", _("more than 24 hours ago")),
        ("3d", _("more than 3 days ago")),
        ("7d", _("more than 7 days ago")),
    )
    GIVEN = (("", _("given or not")), ("no", _("not given yet")), ("yes", _("given")))
    ONLY = (
        ("", _("everything")),
        ("contradicted", _("what you call removed and we still see")),
        ("forwarded", _("what you forwarded to a customer")),
        ("unread", _("with a new message from us")),
    )
    SIZES = (("25", "25"), ("50", "50"), ("100", "100"), ("200", "200"))

    tab = forms.ChoiceField(choices=TABS, required=False, widget=forms.HiddenInput)
    by = forms.ChoiceField(choices=(("", ""), ("ip", "")), required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        label=_("Reference, IP address or your own reference"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off", "spellcheck": "false"}),
    )
    due = forms.ChoiceField(label=_("Due"), choices=DUE, required=False)
    age = forms.ChoiceField(label=_("Sent"), choices=AGE, required=False)
    ip = forms.CharField(
        label=_("IP address or range"),
        max_length=50,
        required=False,
        widget=forms.TextInput(
            attrs={"placeholder": "192.0.2.0/24", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    customer = forms.CharField(
        label=_("Your own reference"),
        max_length=100,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    given = forms.ChoiceField(label=_("Your answer"), choices=GIVEN, required=False)
    only = forms.ChoiceField(label=_("Only"), choices=ONLY, required=False)
    size = forms.ChoiceField(label=_("On a page"), choices=SIZES, required=False)
    after = forms.RegexField(regex=rf"^({NOTICE_REFERENCE}|{keyset.GROUP})\Z", required=False)
    before = forms.RegexField(regex=rf"^({NOTICE_REFERENCE}|{keyset.GROUP})\Z", required=False)

    #: What narrows the list beyond its tab, and of these what stands behind "more".
    NARROWING = ("q", "due", "age", "ip", "customer", "given", "only")
    MORE = ("age", "ip", "customer", "given", "only")

    def clean_ip(self) -> str:
        """An address, a network or UNKNOWN, as it is written usually."""
        text = str(self.cleaned_data["ip"]).strip().lower()
        if not text or text == UNKNOWN:
            return text
        try:
            network = ipaddress.ip_network(text, strict=False)
            if "%" in text:
                raise ValueError
        except ValueError:
            raise forms.ValidationError(
                gettext("Write an address such as 192.0.2.10 or a range such as 192.0.2.0/24.")
            ) from None
        return str(network if "/" in text else network.network_address)

    @property
    def tab_name(self) -> str:
        """The chosen tab; "open" when none was."""
        return str(self.cleaned_data.get("tab") or "open")

    @property
    def by_address(self) -> bool:
        """Whether the list has a row for each address; only what is open is grouped."""
        return self.cleaned_data.get("by") == "ip" and self.answerable

    @property
    def answerable(self) -> bool:
        """Whether what it lists can take an answer."""
        return self.tab_name in {"open", "answered"}

    @property
    def latest_first(self) -> bool:
        """What is open begins with what is due first; the rest with what was sent last."""
        return not self.answerable

    @property
    def page_size(self) -> int:
        """Rows on a page."""
        return int(self.cleaned_data.get("size") or keyset.SIZE)

    @property
    def query(self) -> str:
        """The filter as a query string, without the page."""
        return self.query_with()

    def query_with(self, **other: str) -> str:
        """The same with other values for some fields; "" leaves a field out."""
        kept = {name: self.cleaned_data.get(name) for name in ("tab", "by", *self.NARROWING, "size")}
        return urlencode({name: value for name, value in (kept | other).items() if value})

    @property
    def narrows(self) -> bool:
        """Whether it leaves out something of its tab."""
        return any(self.cleaned_data.get(name) for name in self.NARROWING)

    @property
    def narrows_more(self) -> bool:
        """Whether one of the fields behind "more" does, or is wrong: then they are shown."""
        return any(self.cleaned_data.get(name) or name in self.errors for name in self.MORE)

    def applied(self, own: NoticeQuerySet, *, now: datetime) -> NoticeQuerySet:
        """The notices of `own` that it lets through. Call it when valid."""
        asked = self.cleaned_data.get
        chosen = own
        match self.tab_name:
            case "open":
                chosen = own.unfinished()
            case "answered":
                chosen = own.unfinished().filter(acknowledged_at__isnull=False)
            case "removed":
                chosen = own.filter(state=Notice.State.REMOVED)
        if asked("due") == "over":
            chosen = chosen.overdue(now=now)
        elif within := _DUE.get(asked("due") or ""):
            chosen = chosen.filter(due_at__gt=now, due_at__lte=now + within)
        if longer := _AGE.get(asked("age") or ""):
            chosen = chosen.filter(sent_at__lte=now - longer)
        if asked("given"):
            chosen = chosen.filter(acknowledged_at__isnull=asked("given") == "no")
        if asked("only") == "contradicted":
            chosen = chosen.contradicted()
        elif asked("only") == "forwarded":
            forwarded = Reply.objects.filter(notice=OuterRef("pk"), answer=Reply.Answer.FORWARDED)
            chosen = chosen.filter(Exists(forwarded))
        elif asked("only") == "unread":
            chosen = chosen.filter(Exists(Message.objects.unread().filter(notice=OuterRef("pk"))))
        if place := asked("ip"):
            chosen = chosen.placed_within("" if place == UNKNOWN else place)
        if words := asked("customer"):
            chosen = chosen.filter(customer_reference__icontains=words)
        text = asked("q") or ""
        return chosen.filter(_matching(text)) if text else chosen


def _matching(text: str) -> Q:
    """What a person may mean: a reference, an address or the beginning of one, or their own words."""
    if _REFERENCE.fullmatch(text.upper()):
        return Q(reference=text.upper())
    own_words = Q(customer_reference__icontains=text)
    if is_address(text):
        return own_words | Q(attribution__address=text)
    if _ADDRESS.fullmatch(text):
        return own_words | Q(attribution__address__startswith=text.lower())
    return own_words | Q(reference__startswith=text.upper())
