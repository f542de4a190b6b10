"""The form by which the staff brings in reports: a pasted list or a file, looked at before it is taken in."""

import secrets
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO, Final, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import BOTH, Desk, page
from audit.record import Actor
from audit.refused import Refused
from cases.formats.receipt import ReceiptLine
from cases.intake import WAYS, pasted
from cases.intake.files import keep_file, preview_file
from cases.models import Report, ReportLine, Source
from cases.nudge import nudge
from cases.services.keep import keep, read_on
from cases.services.receive import digest_of, preview

#: Lines that a preview looks at: about a second. The file is read to its end all the same.
LOOKED_AT: Final = 10_000
#: Lines of a preview that are shown, those that are not simply new first; all that were looked at are counted.
SHOWN: Final = 200
#: Up to so many lines are read before the answer, which then is the receipt; more are read by the sweep.
AT_ONCE: Final = 200


class AddForm(forms.Form):
    """One address or many, pasted or in a file; never both: the lines of a receipt are those of one list."""

    source = forms.ModelChoiceField(
        label=gettext_lazy("Source"), queryset=Source.objects.order_by("name", "pk"), empty_label=None
    )
    text = forms.CharField(
        label=gettext_lazy("Addresses, one on a line"),
        required=False,
        strip=False,
        max_length=4_000_000,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off", "wrap": "off"}),
    )
    file = forms.FileField(
        label=gettext_lazy("Or a file"),
        help_text=gettext_lazy(
            "CSV in UTF-8, with semicolons and a header "
            "(url; referrer; reference; received_at; category; note), or a list of addresses as .txt. "
            "At most 20 MB."
        ),
        required=False,
        widget=forms.FileInput(attrs={"accept": ",".join(s for way in WAYS for s in way.suffixes)}),
    )
    # Makes a second press of the same form the same report.
    token = forms.CharField(max_length=43, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        """Exactly one of list and file."""
        data = super().clean() or self.cleaned_data
        text, file = (data.get("text") or "").strip(), data.get("file")
        if text and file:
            self.add_error("file", _("Paste a list or choose a file, not both."))
        elif not text and not file and not self.errors:
            self.add_error("text", _("Paste at least one address, or choose a file of at most 20 MB."))
        return data


def urls(desk: Desk) -> list[URLPattern]:
    """The form."""
    return [desk.at("reports/add/", add, name="report_add", cell="report.add", methods=BOTH)]


def add(request: HttpRequest) -> HttpResponse:
    """Show the form; preview what would become of each line; or take it in and show the receipt."""
    if request.method != "POST":
        staff = Source.objects.filter(code="staff").first()
        return _show(request, AddForm(initial={"source": staff, "token": secrets.token_urlsafe(32)}))
    form = AddForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, status=422)
    if "preview" in request.POST:
        return _preview(request, form)
    return _take_in(request, form)


def _take_in(request: HttpRequest, form: AddForm) -> HttpResponse:
    """Keep it, and read it if it is short; otherwise the page of the report tells how far it is."""
    now = timezone.now()
    try:
        report = _keep(form.cleaned_data, by=Actor.of(request.user), now=now)
        if report.finished_at is None and report.total <= AT_ONCE:
            report = read_on(report_id=report.pk, now=now)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _show(request, form, status=422)
    if report.finished_at is None:
        nudge("sweep_intake")
        messages.success(
            request, _("It is kept, and being read. You can leave this page and find it again in the list.")
        )
    elif report.finished_at == now:
        messages.success(request, _("It is taken in. This is the receipt."))
    else:
        messages.info(request, _("This was taken in before: nothing was added. This is its receipt."))
    return redirect("admin:cases_report_change", report.pk)


def _keep(data: dict[str, Any], *, by: Actor, now: datetime) -> Report:
    source, file = data["source"], data["file"]
    if file:
        return keep_file(_stream(data), name=file.name, source=source, by=by, now=now)
    return keep(
        source=source,
        way=Report.Way.FORM,
        lines=pasted.lines(data["text"]),
        digest=digest_of("form", data["token"], data["text"]),
        by=by,
        now=now,
    )


def _preview(request: HttpRequest, form: AddForm) -> HttpResponse:
    data = form.cleaned_data
    try:
        if data["file"]:
            receipt: Iterable[ReceiptLine] = preview_file(_stream(data), name=data["file"].name)
        else:
            receipt = preview(pasted.lines(data["text"]))
        lines = list(islice(receipt, LOOKED_AT + 1))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return _show(request, form, status=422)
    looked_at = lines[:LOOKED_AT]
    counts = Counter(line.outcome for line in looked_at)
    looked_at.sort(key=lambda line: line.outcome == ReportLine.Outcome.NEW)
    return _show(
        request,
        form,
        looked=True,
        total=len(looked_at),
        more=len(lines) > LOOKED_AT,
        outcomes=[(code, counts[code]) for code in ReportLine.Outcome.values if code in counts],
        receipt=looked_at[:SHOWN],
        from_file=data["file"].name if data["file"] else "",
    )


def _stream(data: dict[str, Any]) -> BinaryIO:
    return cast(BinaryIO, data["file"].file)


def _show(request: HttpRequest, form: AddForm, *, status: int = 200, **context: Any) -> HttpResponse:
    return page(
        request, "staff/report_add.html", {"title": _("New report"), "form": form, **context}, status=status
    )
