"""The desk for contacts: which need somebody and since when, who sees to it, and how well each can be reached."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.names import Names
from audit.counting import Bounded, Uncounted, up_to_each
from audit.desk import POST, Desk, page
from audit.record import Actor
from cases import reach
from cases.admin.pressing import press
from cases.models import SeenTo
from cases.services.see_to import see_to, seen_to
from providers import services
from providers.models import Contact, ContactHealth, Proposal

PER_PAGE: Final = 50


class Tab(NamedTuple):
    """Contacts, or providers, that need the same of somebody. `since` is the column that says how long they do.

    `task` is what one can see to. `counted`, `tone` and `cell` are of its counter on the start page. `asked`: only its
    counter opens it, because its rows stand in another tab as well.
    """

    code: str
    name: str | Promise
    rows: Callable[[datetime], QuerySet[Any]]
    since: str
    task: str = ""
    counted: str | Promise = ""
    tone: str = ""
    cell: str = "contact.view"
    asked: bool = False


TABS: Final = (
    Tab("suspended", gettext_lazy("Suspended"), lambda now: reach.suspended(), "suspended_at",
        SeenTo.Task.SUSPENDED, gettext_lazy("suspended contacts"), "warn"),
    Tab("late", gettext_lazy("Suspended, and no other"), lambda now: reach.without_fallback(now=now),
        "suspended_at", SeenTo.Task.SUSPENDED,
        gettext_lazy("suspended for an hour without another contact"), "bad", asked=True),
    Tab("unheard", gettext_lazy("No contact"), lambda now: reach.unheard(now=now), "waits_since",
        SeenTo.Task.NO_CONTACT, gettext_lazy("providers whose notices wait for a contact"), "bad"),
    Tab("unreachable", gettext_lazy("Cannot be reached"), lambda now: reach.unreachable(), "health__since",
        SeenTo.Task.UNREACHABLE, gettext_lazy("contacts that cannot be reached"), "warn"),
    Tab("proposed", gettext_lazy("To approve"), lambda now: reach.proposed(), "created_at",
        counted=gettext_lazy("contacts to approve"), tone="warn", cell="contact.approve"),
    Tab("all", gettext_lazy("All"), lambda now: Contact.objects.all(), "created_at"),
)  # fmt: skip
_BY_CODE: Final = {tab.code: tab for tab in TABS}


class ContactFilter(forms.Form):
    """Narrows the list of all."""

    q = forms.CharField(label=gettext_lazy("Provider or contact"), max_length=100, required=False)
    health = forms.ChoiceField(
        label=gettext_lazy("Health"),
        choices=[("", gettext_lazy("any")), *ContactHealth.Word.choices],
        required=False,
    )


def urls(desk: Desk) -> list[URLPattern]:
    """The desk and its buttons."""
    one = "contacts/<int:pk>"
    return [
        desk.at("contacts/", contacts, name="contacts", cell="contact.view"),
        desk.at("contacts/see-to/", take_on, name="contact_see_to", cell="contact.see_to", methods=POST),
        desk.at(f"{one}/approve/", approve, name="desk_approve", cell="contact.approve", methods=POST),
        desk.at(f"{one}/suspend/", suspend, name="desk_suspend", cell="contact.suspend", methods=POST),
        desk.at(f"{one}/resume/", resume, name="desk_resume", cell="contact.approve", methods=POST),
    ]


def counters(request: HttpRequest, now: datetime) -> Iterator[Uncounted]:
    """What needs somebody, for the start page."""
    here = reverse("admin:contacts")
    for tab in TABS:
        if tab.counted and request.user.has_perm(tab.cell):
            yield Uncounted(tab.counted, tab.rows(now), tab.since, f"{here}?show={tab.code}", tab.tone)
    if request.user.has_perm("contact.approve"):
        name, href = _("proposals of providers"), reverse("admin:proposals")
        yield Uncounted(name, Proposal.objects.waiting(), "proposed_at", href, "warn")


def contacts(request: HttpRequest) -> HttpResponse:
    """The rows of one tab, the longest waiting first; first what needs somebody, if there is any."""
    now = timezone.now()
    told = [tab for tab in TABS if tab.counted and not tab.asked]
    *its, proposed = up_to_each([(each.rows(now), "") for each in told] + [(Proposal.objects.waiting(), "")])
    counts = {each.code: counted for each, counted in zip(told, its, strict=True)}
    first = next((code for code, found in counts.items() if found.count), "all")
    tab = _BY_CODE.get(request.GET.get("show", ""), _BY_CODE[first])
    form = ContactFilter(request.GET, auto_id="contacts-%s")
    context: dict[str, Any] = {
        "title": _("Contacts"),
        "tab": tab,
        "form": form,
        "tabs": [
            {
                "name": each.name,
                "href": f"?show={each.code}",
                "current": each is tab,
                "count": f"{counts[each.code].count}{'+' if counts[each.code].more else ''}"
                if each.code in counts
                else None,
            }
            for each in TABS
            if not each.asked or each is tab
        ]
        + [
            {
                "name": _("Proposals"),
                "href": reverse("admin:proposals"),
                "count": proposed.count,
            }
        ],
    }
    if not form.is_valid():
        return page(request, "staff/contacts.html", context | {"rows": []}, status=400)
    rows = tab.rows(now)
    if tab.code == "all":
        rows = _narrowed(rows, form.cleaned_data).order_by("provider__name", "provider", "pk")
    else:
        rows = rows.order_by(tab.since, "pk")
    if tab.code != "unheard":
        rows = rows.select_related("provider", "health")
    found = Bounded(rows, PER_PAGE).get_page(request.GET.get("page"))
    listed = list(found)
    context |= {
        "page": found,
        "rows": _providers(tab, listed) if tab.code == "unheard" else _contacts(tab, listed, now),
    }
    return page(request, "staff/contacts.html", context)


def take_on(request: HttpRequest) -> HttpResponse:
    """This person sees to it."""
    subject = request.POST.get("subject", "")
    subject_id = int(subject) if subject.isascii() and subject.isdigit() and len(subject) < 19 else 0
    task, by, now = request.POST.get("task", ""), Actor.of(request.user), timezone.now()
    press(request, lambda: see_to(task=task, subject_id=subject_id, by=by, now=now), _("You see to it."))
    return _back(request)


def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Notices may go there from now on."""
    return _do(request, pk, services.approve_contact, _("Approved: notices may go there."))


def suspend(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing goes there for now."""
    reason = request.POST.get("reason", "")
    return _do(
        request, pk, services.suspend_contact, _("Suspended: nothing goes there for now."), reason=reason
    )


def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """It is in use again."""
    return _do(request, pk, services.resume_contact, _("It is in use again."))


def _do(
    request: HttpRequest, pk: int, call: Callable[..., Contact], done: str, **arguments: str
) -> HttpResponse:
    by, now = Actor.of(request.user), timezone.now()
    press(request, lambda: call(contact_id=pk, by=by, now=now, **arguments), done)
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    here, back = reverse("admin:contacts"), request.POST.get("back", "")
    fits = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith(here)
    return redirect(back if fits else here)


def _narrowed(rows: QuerySet[Contact], wanted: dict[str, str]) -> QuerySet[Contact]:
    if wanted["q"]:
        rows = rows.filter(Q(address__icontains=wanted["q"]) | Q(provider__name__icontains=wanted["q"]))
    if wanted["health"] == ContactHealth.Word.UNKNOWN:
        return rows.filter(Q(health=None) | Q(health__word=wanted["health"]))
    return rows.filter(health__word=wanted["health"]) if wanted["health"] else rows


def _contacts(tab: Tab, listed: Sequence[Contact], now: datetime) -> list[dict[str, Any]]:
    """What the table shows of each contact: a few more queries for all of them."""
    names = Names()
    began = [(contact.pk, _began(tab, contact)) for contact in listed] if tab.task else []
    seen = seen_to(tab.task, began) if tab.task else {}
    fallbacks = reach.fallbacks(listed)
    waits = reach.waits_of([contact.provider_id for contact in listed], now=now)
    rows = []
    for contact in listed:
        other = fallbacks.get(contact.provider_id)
        seer = seen.get(contact.pk)
        late = contact.suspended_at is not None and other is None
        rows.append(
            {
                "contact": contact,
                "provider": contact.provider,
                "since": _began(tab, contact),
                "fallback": other if other != contact else None,
                "late": late and now - (contact.suspended_at or now) >= reach.FALLBACK_WITHIN,
                "waits": waits.get(contact.provider_id, 0),
                "seen_by": names.of(seer.by) if seer else "",
                "seen_at": seer.at if seer else None,
                "proposed_by": names.of(contact.added_by) if contact.added_by else "",
                "subject": contact.pk,
            }
        )
    return rows


def _providers(tab: Tab, listed: Sequence[Any]) -> list[dict[str, Any]]:
    names = Names()
    seen = seen_to(tab.task, [(provider.pk, provider.waits_since) for provider in listed])
    return [
        {
            "provider": provider,
            "since": provider.waits_since,
            "waits": provider.waits,
            "seen_by": names.of(seen[provider.pk].by) if provider.pk in seen else "",
            "seen_at": seen[provider.pk].at if provider.pk in seen else None,
            "subject": provider.pk,
        }
        for provider in listed
    ]


def _began(tab: Tab, contact: Contact) -> datetime:
    """Since when a contact needs somebody, by the tab's column."""
    value: Any = contact
    for name in tab.since.split("__"):
        value = getattr(value, name)
    began: datetime = value
    return began
