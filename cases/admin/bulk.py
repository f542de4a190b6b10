"""Many notices at once: what is prepared, what runs, and what became of each; and exports."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts.names import Names
from audit.desk import POST, Desk, page
from audit.record import Actor
from audit.refused import Refused
from cases.admin.forms import DismissForm, HoldForm, hours_field
from cases.admin.pressing import press
from cases.filters import SearchForm, parsed
from cases.formats.notices_csv import COLUMNS
from cases.models import Bulk, BulkLine, Notice
from cases.nudge import nudge
from cases.services import bulk as services
from cases.services import export
from cases.services.looking import Why

#: How many of the latest are listed.
LISTED: Final = 50
#: Lines shown on the page; all of them are in the file.
SHOWN: Final = 100


class StartForm(forms.Form):
    """Why it is done to so many; it is written down."""

    why = forms.ChoiceField(label=gettext_lazy("What for?"), choices=Why.choices)

    def arguments(self) -> dict[str, Any]:
        """What the service of each line is called with. Call it when valid."""
        return {}


class StartDismiss(StartForm):
    """Why they are dismissed."""

    because = forms.ChoiceField(
        label=DismissForm.base_fields["because"].label,
        choices=DismissForm.base_fields["because"].choices,  # type: ignore[attr-defined]
    )

    def arguments(self) -> dict[str, Any]:
        return {"because": self.cleaned_data["because"]}


class StartHold(StartForm):
    """Which hold, why, and for how long from the start."""

    kind = forms.ChoiceField(
        label=HoldForm.base_fields["kind"].label,
        choices=HoldForm.base_fields["kind"].choices,  # type: ignore[attr-defined]
    )
    reason = forms.CharField(
        label=HoldForm.base_fields["reason"].label,
        help_text=HoldForm.base_fields["reason"].help_text,
        max_length=300,
    )
    hours = hours_field(HoldForm.base_fields["hours"].label)

    def arguments(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("kind", "reason", "hours")}


class StartExport(StartForm):
    """Which columns; none of them holds an address or free text."""

    columns = forms.MultipleChoiceField(
        label=gettext_lazy("Columns"),
        choices=[(code, column.label) for code, column in COLUMNS.items()],
        initial=list(COLUMNS),
        widget=forms.CheckboxSelectMultiple,
    )


FORMS: Final[dict[str, type[StartForm]]] = {
    Bulk.Act.DISMISS: StartDismiss,
    Bulk.Act.HOLD: StartHold,
    Bulk.Act.EXPORT: StartExport,
}


def urls(desk: Desk) -> list[URLPattern]:
    """The list, the page of one, and its buttons. What one may do with notices is asked beside the cell."""
    cell, at = "notice.bulk", desk.at
    return [
        at("bulk/", listed, name="bulk", cell=cell),
        at("bulk/prepare/", prepare, name="bulk_prepare", cell=cell, methods=POST),
        at("bulk/<int:pk>/", show, name="bulk_one", cell=cell),
        at("bulk/<int:pk>/progress/", progress, name="bulk_progress", cell=cell),
        at("bulk/<int:pk>/results/", results, name="bulk_results", cell=cell),
        at("bulk/<int:pk>/start/", start, name="bulk_start", cell=cell, methods=POST),
        at("bulk/<int:pk>/stop/", stop, name="bulk_stop", cell=cell, methods=POST),
        at("bulk/<int:pk>/retry/", retry, name="bulk_retry", cell=cell, methods=POST),
        at("bulk/<int:pk>/undo/", undo, name="bulk_undo", cell=cell, methods=POST),
        at("bulk/<int:pk>/fetch/", fetch, name="bulk_fetch", cell="notice.export", methods=POST),
    ]


def offered(request: HttpRequest) -> list[tuple[str, str]]:
    """The acts that this person may do to many, for the bar over the list."""
    may = request.user.has_perm
    if not may("notice.bulk"):
        return []
    return [(act, str(Bulk.Act(act).label)) for act, doing in services.ACTS.items() if may(doing.cell)]


def prepare(request: HttpRequest) -> HttpResponse:
    """Freeze what was chosen: the ticked rows, or all that the filter finds. Nothing happens to them yet."""
    here, act = reverse("admin:cases_notice_changelist"), request.POST.get("act", "")
    query = request.POST.get("query", "")
    form = parsed(query)
    back, now = f"{here}?{form.query}" if form.is_valid() else here, timezone.now()
    if act not in dict(offered(request)) or not form.is_valid():
        messages.error(request, _("Choose what is to be done."))
        return redirect(back)
    everything = "everything" in request.POST
    ticked = [
        int(pk)
        for pk in request.POST.getlist("notice")[:SHOWN]
        if pk.isascii() and pk.isdigit() and len(pk) < 18
    ]
    notices = (
        form.applied(Notice.objects.all(), now=now) if everything else Notice.objects.filter(pk__in=ticked)
    )
    large = act == Bulk.Act.EXPORT and request.user.has_perm("bulk.all")
    try:
        made = services.prepare(
            act=act,
            notices=notices,
            query=form.query if everything else "",
            language=get_language() or "en",
            limit=services.LARGEST_EXPORT if large else services.LARGEST,
            by=Actor.of(request.user),
            now=now,
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect(back)
    return redirect("admin:bulk_one", made.pk)


def listed(request: HttpRequest) -> HttpResponse:
    """This person's latest; everybody's for who may see all."""
    names = Names()
    found = _visible(request).order_by("-pk")[:LISTED]
    context = {
        "title": _("Bulk acts and exports"),
        "search": reverse("admin:cases_notice_changelist"),
        "rows": [{"bulk": bulk, "by": names.of(f"user:{bulk.user_id}")} for bulk in found],
    }
    return page(request, "staff/bulk_list.html", context)


def show(request: HttpRequest, pk: int, form: StartForm | None = None) -> HttpResponse:
    """What is asked and of how many; then how far it is; then what became of each."""
    bulk = _load(request, pk)
    return page(request, "staff/bulk.html", _context(request, bulk, form), status=422 if form else 200)


def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """How far it is, as a part of its page."""
    return page(request, "staff/bulk_progress.html", _progress(_load(request, pk)))


def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Let it run, once its form is whole; pressing twice starts it once."""
    bulk = _mine(request, pk)
    form = _form(bulk)(request.POST, auto_id="bulk-%s")
    if not form.is_valid():
        return show(request, pk, form)
    made = press(
        request,
        lambda: services.start(
            bulk_id=pk,
            reason=form.cleaned_data["why"],
            arguments=form.arguments(),
            columns=form.cleaned_data.get("columns", ()),
            by=Actor.of(request.user),
            now=timezone.now(),
        ),
        _("The export is ready.") if bulk.is_export else _("It runs. You may leave this page and come back."),
    )
    if made is not None and not made.is_export:
        nudge("sweep_bulk")
    return redirect("admin:bulk_one", pk)


def stop(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave the rest undone."""
    _load(request, pk)
    press(
        request,
        lambda: services.stop(bulk_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("It is stopped. What is done stays done."),
    )
    return redirect("admin:bulk_one", pk)


def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Once more what failed or was left."""
    _mine(request, pk)
    made = press(
        request,
        lambda: services.retry(bulk_id=pk, by=Actor.of(request.user), now=timezone.now()),
        _("It runs again, only for what failed or was left."),
    )
    if made is not None:
        nudge("sweep_bulk")
    return redirect("admin:bulk_one", pk)


def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Prepare the opposite for what was done."""
    bulk = _load(request, pk)
    if services.ACTS[bulk.act].undo not in dict(offered(request)):
        raise Http404
    made = press(
        request,
        lambda: services.undo(
            bulk_id=pk, language=get_language() or "en", by=Actor.of(request.user), now=timezone.now()
        ),
        _("Look, and start it: nothing has happened yet."),
    )
    return redirect("admin:bulk_one", made.pk if made else pk)


def results(request: HttpRequest, pk: int) -> HttpResponseBase:
    """What became of each, as a file."""
    bulk = _load(request, pk)
    if bulk.is_export:
        raise Http404
    return _file(export.results(bulk=bulk), f"bulk-{bulk.pk}.csv")


def fetch(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The export as a file; each fetch is written down, so it is a button that POSTs."""
    bulk = _load(request, pk)
    try:
        parts = export.fetch(bulk_id=pk, by=Actor.of(request.user), now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("admin:bulk_one", pk)
    return _file(parts, f"notices-{bulk.pk}.csv")


def _file(parts: Iterator[str], name: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _visible(request: HttpRequest) -> Any:
    """Somebody else's do not exist, but for who may see all."""
    rows = Bulk.objects.filter(erased_at__gt=timezone.now())
    return rows if request.user.has_perm("bulk.all") else rows.filter(user_id=request.user.pk or 0)


def _load(request: HttpRequest, pk: int) -> Bulk:
    bulk: Bulk | None = _visible(request).filter(pk=pk).first()
    if bulk is None or (bulk.is_export and not request.user.has_perm("notice.export")):
        raise Http404
    return bulk


def _mine(request: HttpRequest, pk: int) -> Bulk:
    """One that this person prepared, and may do: what runs, runs in the name of who started it."""
    bulk = _load(request, pk)
    if bulk.user_id != request.user.pk or bulk.act not in dict(offered(request)):
        raise Http404
    return bulk


def _form(bulk: Bulk) -> type[StartForm]:
    return FORMS.get(bulk.act, StartForm)


def _context(request: HttpRequest, bulk: Bulk, form: StartForm | None) -> dict[str, Any]:
    now: datetime = timezone.now()
    search: SearchForm | None = parsed(bulk.query) if bulk.query else None
    undoing = services.ACTS[bulk.act].undo
    mine = bulk.user_id == request.user.pk
    context: dict[str, Any] = {
        "title": _("%(act)s: %(count)s notices")
        % {"act": bulk.get_act_display().capitalize(), "count": bulk.total},
        "chips": search.chips() if search is not None and search.is_valid() else [],
        "by": Names().of(f"user:{bulk.user_id}"),
        "why": dict(Why.choices).get(bulk.reason, ""),
        "mine": mine,
        "may_undo": bool(undoing) and undoing in dict(offered(request)),
        "over": bulk.is_over(now=now),
        **_progress(bulk),
    }
    if bulk.state == Bulk.State.PREPARED and mine:
        exceptions = services.exceptions(bulk)
        context |= {
            "form": form or _form(bulk)(auto_id="bulk-%s"),
            "exceptions": exceptions,
            "possible": bulk.total - sum(count for _words, count in exceptions),
        }
    elif not bulk.is_export:
        rest = bulk.lines.filter(outcome__in=[BulkLine.Outcome.FAILED, BulkLine.Outcome.SKIPPED])
        context["rows"] = rest.select_related("notice").order_by("outcome", "pk")[:SHOWN]
    return context


def _progress(bulk: Bulk) -> dict[str, Any]:
    counts = services.counts(bulk)
    return {
        "bulk": bulk,
        "done": counts["done"],
        "skipped": counts["skipped"],
        "failed": counts["failed"],
        "waiting": counts[""],
        "worked": bulk.total - counts[""],
    }
