"""Second judgements: where two people judged differently, the lead's word, and how far they agree."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from audit.counting import Bounded, Uncounted
from audit.desk import POST, Display, page
from audit.record import Actor
from cases.admin.forms import JudgementForm
from cases.admin.pressing import press
from cases.admin.words import in_words
from cases.agreement import FEW, agreement
from cases.models import Assessment, LegalClass, SecondLook
from cases.services.second import settle

PER_PAGE: Final = 50
Outcome = SecondLook.Outcome

#: Code -> name of the tab, and its rows.
SHOWN: Final = {
    "differing": (gettext_lazy("They differ"), lambda looks: looks.differing().order_by("second__at", "pk")),
    "unread": (gettext_lazy("To be judged again"), lambda looks: looks.unread().order_by("due_at", "pk")),
    "late": (
        pgettext_lazy("second judgements", "Late"),
        lambda looks: looks.unread().filter(due_at__lte=timezone.now()).order_by("due_at", "pk"),
    ),
    "settled": (
        gettext_lazy("Settled"),
        lambda looks: looks.exclude(outcome="").order_by("-settled_at", "-pk"),
    ),
}
#: Days back -> name.
PERIODS: Final = {
    30: gettext_lazy("30 days"),
    90: gettext_lazy("90 days"),
    365: gettext_lazy("12 months"),
}


@admin.register(SecondLook)
class SecondDesk(Display):
    """The oldest difference first. Only a lead who has judged neither time decides; supervisors look on."""

    cell = "second.view"

    def own_urls(self) -> list[URLPattern]:
        """How far they agree, and the lead's word."""
        return [
            self.at("agreement/", self.agreement, name="second_agreement", cell="second.view"),
            self.at(
                "<int:pk>/settle/", self.settle, name="second_settle", cell="second.settle", methods=POST
            ),
        ]

    def counters(self, request: HttpRequest, now: datetime) -> Iterable[Uncounted]:
        """What waits for the lead, and second judgements that are late."""
        if request.user.has_perm("second.view"):
            here, looks = reverse("admin:cases_secondlook_changelist"), SecondLook.objects
            yield Uncounted(
                gettext_lazy("judgements that differ"), looks.differing(), "second__at", here, "bad"
            )
            late = looks.unread().filter(due_at__lte=now)
            yield Uncounted(
                gettext_lazy("second judgements late"), late, "due_at", f"{here}?show=late", "warn"
            )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One kind of them. Of those that nobody has judged again it is not said how they were judged."""
        self.check_view(request)
        show = request.GET.get("show", "")
        show = show if show in SHOWN else "differing"
        rows: QuerySet[SecondLook] = SHOWN[show][1](SecondLook.objects)
        rows = rows.select_related(
            "notice__content", "first_by", "second_by", "first", "second", "settled_by"
        )
        found = Bounded(rows, PER_PAGE).get_page(request.GET.get("page"))
        context = {
            "title": _("Second judgements"),
            "page": found,
            "rows": list(found),
            "show": show,
            "is_open": show in {"unread", "late"},
            "tabs": [
                {"name": name, "href": f"?show={code}", "current": code == show}
                for code, (name, _rows) in SHOWN.items()
            ],
        }
        return page(request, "staff/seconds.html", context)

    def show(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Both judgements side by side, and what the lead can do."""
        return self._show(request, pk)

    def settle(self, request: HttpRequest, pk: int) -> HttpResponse:
        """One of the two stands, or the lead judges anew."""
        stands, said, form = request.POST.get("stands", ""), {}, None
        if stands == Outcome.THIRD:
            form = JudgementForm(request.POST, auto_id="third_%s")
            if not form.is_valid():
                return self._show(request, pk, tried=form)
            said = form.judged()
        done = press(
            request,
            lambda: settle(look_id=pk, stands=stands, by=Actor.of(request.user), now=timezone.now(), **said),
            _("Decided."),
        )
        if done is None:
            return redirect("admin:cases_secondlook_change", pk)
        return redirect("admin:cases_secondlook_changelist")

    def agreement(self, request: HttpRequest) -> HttpResponse:
        """Cohen's kappa by cause, and which classes are taken for which. By no person: this ranks nobody."""
        days = request.GET.get("days", "")
        days_back = int(days) if days in {str(each) for each in PERIODS} else 90
        since = timezone.now() - timedelta(days=days_back)
        tables = _tables(since)
        cause = request.GET.get("why", "")
        cause = cause if cause in SecondLook.Why.values else str(SecondLook.Why.SAMPLE)
        context = {
            "title": _("How far two judge the same"),
            "few": FEW,
            "since": since,
            "causes": [
                {
                    "name": why.label,
                    "href": f"?days={days_back}&why={why}",
                    "current": why == cause,
                    "figures": agreement(tables[why]),
                }
                for why in SecondLook.Why
            ],
            "tabs": [
                {"name": name, "href": f"?days={each}&why={cause}", "current": each == days_back}
                for each, name in PERIODS.items()
            ],
            "classes": [kind.label for kind in LegalClass],
            "confusion": [
                {
                    "name": first.label,
                    "cells": [
                        {"count": tables[cause].get((first, second), 0), "same": first == second,
                         "name": second.label}
                        for second in LegalClass
                    ],
                }
                for first in LegalClass
            ],
        }  # fmt: skip
        return page(request, "staff/agreement.html", context)

    def _show(self, request: HttpRequest, pk: int, *, tried: JudgementForm | None = None) -> HttpResponse:
        rows = SecondLook.objects.select_related(
            "notice__content", "first__assessor", "second__assessor", "lead__assessor", "settled_by"
        )
        look = get_object_or_404(rows.filter(second__isnull=False), pk=pk)
        judgements = [each for each in (look.first, look.second, look.lead) if each is not None]
        party = Assessment.objects.filter(notice=look.notice_id, assessor=request.user.pk).exists()
        may = request.user.has_perm("second.settle") and look.settled_at is None
        context = {
            "title": _("Second judgement of %(reference)s") % {"reference": look.notice.reference},
            "look": look,
            "sides": [
                {
                    "name": name,
                    "stands": stands if may and not party else "",
                    "judgement": judgement,
                    "said": said,
                }
                for judgement, said, (name, stands) in zip(
                    judgements,
                    in_words(judgements),
                    (
                        (_("First judgement"), Outcome.FIRST),
                        (_("Second judgement"), Outcome.SECOND),
                        (_("The lead's judgement"), ""),
                    ),
                    strict=False,
                )
            ],
            "is_party": may and party,
            "form": (tried or JudgementForm(auto_id="third_%s")) if may and not party else None,
            "form_is_open": tried is not None,
        }
        return page(request, "staff/second.html", context, status=422 if tried else 200)


def _tables(since: datetime) -> dict[str, dict[tuple[str, str], int]]:
    """Cause -> (first class, second class) -> how often, of what was judged again since then."""
    counted = (
        SecondLook.objects.filter(second__at__gte=since)
        .values_list("why", "first__legal_class", "second__legal_class")
        .annotate(count=Count("pk"))
        .order_by()
    )
    tables: dict[str, dict[tuple[str, str], int]] = defaultdict(dict)
    for why, first, second, count in counted:
        tables[why][(first, second)] = count
    return tables
