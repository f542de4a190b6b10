"""What the registries say: holders that somebody must know, what is still to be asked, and the answers."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.db import connection
from django.db.models import Count, Max, Min, QuerySet
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.counting import Counter
from audit.desk import POST, Display, page, press
from audit.record import Actor
from providers import services
from providers.admin.forms import HolderForm, KnownHolderForm
from providers.models import HolderRule, Provider, Registration, RegistryQuestion

#: Of each list on the page.
MOST: Final = 25


@admin.register(Registration)
class RegistrationDesk(Display):
    """Registries name holders; a person says which providers they are."""

    cell = "provider.view"

    def own_urls(self) -> list[URLPattern]:
        """What can be made of a holder."""
        made: tuple[tuple[str, Callable[..., HttpResponse]], ...] = (
            ("take-up", self.take_up),
            ("assign", self.assign),
            ("pass-over", self.pass_over),
        )
        return [
            self.at(
                f"holder/{route}/", view, name=f"holder_{view.__name__}", cell="provider.change", methods=POST
            )
            for route, view in made
        ]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Counter]:
        """Holders that registries name and nobody knows."""
        if not request.user.has_perm("provider.change"):
            return []
        waiting = _unknown().aggregate(count=Count("holder_handle", distinct=True), oldest=Min("asked_at"))
        href = reverse("admin:providers_registration_changelist")
        name = gettext_lazy("holders of networks that no provider is known for")
        return [Counter(name, waiting["count"], waiting["oldest"], href)]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Holders first, then the questions, then what was answered last."""
        self.check_view(request)
        return self._page(request)

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One answer, and those on the same network before and after it."""
        row = get_object_or_404(Registration, pk=pk)
        others = (
            Registration.objects.filter(prefix=row.prefix).exclude(pk=pk).order_by("-asked_at", "pk")[:MOST]
        )
        rule = HolderRule.objects.select_related("provider").filter(handle=row.holder_handle).first()
        context = {"title": str(row.prefix), "row": row, "others": others, "rule": rule}
        return page(request, "staff/registration.html", context)

    def take_up(self, request: HttpRequest) -> HttpResponse:
        """A new provider."""
        form = HolderForm(request.POST)
        if not form.is_valid():
            return self._page(request, tried=form)
        provider = press(
            request,
            lambda: services.take_up_holder(
                **form.cleaned_data, by=Actor.of(request.user), now=timezone.now()
            ),
            _("Added. If the registry names a mailbox for abuse, it is proposed and waits for approval."),
        )
        if provider is None:
            return redirect("admin:providers_registration_changelist")
        return redirect("admin:providers_provider_change", provider.pk)

    def assign(self, request: HttpRequest) -> HttpResponse:
        """A provider that we know."""
        form = KnownHolderForm(request.POST)
        if not form.is_valid():
            return self._page(request, tried=form)
        press(
            request,
            lambda: services.assign_holder(
                **form.cleaned_data, by=Actor.of(request.user), now=timezone.now()
            ),
            _("The rule is kept: what this holder has leads to that provider."),
        )
        return redirect("admin:providers_registration_changelist")

    def pass_over(self, request: HttpRequest) -> HttpResponse:
        """Nothing is made of it."""
        handle = request.POST.get("handle", "")
        press(
            request,
            lambda: services.pass_over_holder(handle=handle, by=Actor.of(request.user), now=timezone.now()),
            _("Passed over: it is not proposed again."),
        )
        return redirect("admin:providers_registration_changelist")

    def _page(self, request: HttpRequest, tried: BaseForm | None = None) -> HttpResponse:
        may_change = request.user.has_perm("provider.change")
        waiting = RegistryQuestion.objects.filter(due_at__isnull=False)
        context = {
            "title": _("Registries"),
            "is_on": bool(settings.HOST.rdap),
            "holders": _holders(tried) if may_change else [],
            "waiting": waiting.aggregate(count=Count("pk"), oldest=Min("wanted_at")),
            "failed": RegistryQuestion.objects.exclude(trouble="").order_by("-asked_at", "pk")[:MOST],
            "answers": Registration.objects.filter(is_newest=True).order_by("-asked_at", "pk")[:MOST],
            "may_change": may_change,
        }
        return page(request, "staff/registrations.html", context, status=422 if tried else 200)


def _unknown() -> QuerySet[Registration]:
    """The newest answers whose holder nobody has made anything of."""
    return (
        Registration.objects.filter(is_newest=True, passed_over_by="")
        .exclude(holder_handle="")
        .exclude(holder_handle__in=HolderRule.objects.values("handle"))
    )


def _holders(tried: BaseForm | None) -> list[dict[str, Any]]:
    """The last ones that were named, each with its two forms filled in as far as the registry helps."""
    named = (
        _unknown()
        .values("holder_handle")
        .annotate(
            name=Max("holder_name"),
            networks=Count("pk"),
            country=Max("country"),
            mailbox=Max("abuse_mailbox"),
            asked_at=Max("asked_at"),
            newest=Max("pk"),
        )
        .order_by("-asked_at", "holder_handle")[:MOST]
    )
    rows: list[dict[str, Any]] = [dict(row) for row in named]
    known = _known([row["holder_handle"] for row in rows])
    for place, row in enumerate(rows):
        handle, country = row["holder_handle"], row["country"] or "NL"
        first = {"handle": handle, "name": row["name"], "code": slugify(row["name"] or handle)[:40]}
        forms: dict[str, BaseForm] = {
            "new": HolderForm(
                initial=first | {"country": country, "kind": Provider.Kind.HOSTER}, auto_id=f"new-{place}-%s"
            ),
            "same": KnownHolderForm(
                initial={"handle": handle, "country": country, "provider": known.get(handle, "")},
                auto_id=f"same-{place}-%s",
            ),
        }
        if tried is not None and tried.data.get("handle") == handle:
            row["opened"] = "same" if isinstance(tried, KnownHolderForm) else "new"
            tried.auto_id = f"{row['opened']}-{place}-%s"
            forms[row["opened"]] = tried
        row |= {"forms": forms, "known": known.get(handle, "")}
    return rows


def _known(handles: list[str]) -> dict[str, str]:
    """handle -> code of the provider that our own list has one of its networks for."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT ON (said.holder_handle) said.holder_handle, provider.code"
            " FROM providers_registration said"
            " JOIN providers_network network ON network.prefix <<= said.prefix"
            " JOIN providers_provider provider ON provider.id = network.provider_id"
            " WHERE said.is_newest AND said.holder_handle = ANY(%s)"
            " ORDER BY said.holder_handle, provider.code",
            [handles],
        )
        return dict(cursor.fetchall())
