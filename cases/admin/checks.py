"""The desk of checks: whether somebody looks in time, from where, what cannot be seen, and looks in a file."""

from collections import Counter as Tally
from collections.abc import Sequence
from datetime import datetime
from typing import Any, BinaryIO, Final, NamedTuple, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.counting import Bounded, Uncounted, counters
from audit.desk import BOTH, Desk, page
from audit.record import Actor
from audit.refused import Refused
from cases.admin.counters import Figures, uncounted
from cases.admin.failures import in_words
from cases.admin.forms import LooksFileForm
from cases.intake import sightings_csv
from cases.models import Notice
from cases.queues import CHECK_LATE, checks_coming, checks_due, checks_late
from cases.services import observe, watching

TEMPLATE: Final = "staff/checks.html"
#: Sightings that are taken in one transaction.
_BATCH: Final = 500
#: Lines of a receipt that are shown: first what was refused, then what we had.
_SHOWN: Final = 500
PER_PAGE: Final = 50
_ORDER: Final = ("refused", "known", "recorded")
#: Outcome of a line -> its tone and its word.
OUTCOMES: Final[dict[str, tuple[str, str | Promise]]] = {
    "recorded": ("good", gettext_lazy("recorded")),
    "known": ("calm", gettext_lazy("we had it")),
    "refused": ("bad", gettext_lazy("refused")),
}


class Said(NamedTuple):
    """A line of the receipt."""

    number: int
    notice: str
    outcome: str
    why: str

    @property
    def tone(self) -> str:
        """Of its badge."""
        return OUTCOMES[self.outcome][0]

    @property
    def word(self) -> str:
        """What became of it."""
        return str(OUTCOMES[self.outcome][1])


def urls(desk: Desk) -> list[URLPattern]:
    """The desk, and looks in a file."""
    return [
        desk.at("checks/", checks, name="checks", cell="check.view"),
        desk.at("checks/file/", take_file, name="checks_file", cell="sighting.add", methods=BOTH),
    ]


def late_counter(now: datetime, figures: Figures) -> Uncounted:
    """Looks that should have been reported by now, for the start page."""
    return uncounted(
        "checks_late",
        checks_late(now),
        "next_check_at",
        name=_("checks that are late"),
        href=reverse("admin:checks"),
        tone="warn",
        figures=figures,
    )


def checks(request: HttpRequest) -> HttpResponse:
    """Who looks, and whether they keep up."""
    return _show(request, LooksFileForm())


def take_file(request: HttpRequest) -> HttpResponse:
    """Take the looks of a file, and show its receipt; a GET (a reload) leads back to the desk."""
    if request.method != "POST":
        return redirect("admin:checks")
    form = LooksFileForm(request.POST, request.FILES)
    if not form.is_valid():
        return _show(request, form, status=422)
    try:
        lines = sightings_csv.lines(cast(BinaryIO, form.cleaned_data["file"].file))
    except Refused as refusal:
        form.add_error("file", str(refusal))
        return _show(request, form, status=422)
    said = _take(lines, by=Actor.of(request.user), now=timezone.now())
    counts = Tally(line.outcome for line in said)
    messages.success(
        request,
        _("Read: %(recorded)d new, %(known)d that we had, %(refused)d refused.")
        % {outcome: counts[outcome] for outcome in OUTCOMES},
    )
    said.sort(key=lambda line: (_ORDER.index(line.outcome), line.number))
    return _show(request, LooksFileForm(), receipt=said[:_SHOWN], lines=len(said))


def _take(lines: Sequence[sightings_csv.Line], *, by: Actor, now: datetime) -> list[Said]:
    """One outcome for each line, in their order. A file that was half taken may come again: what we had is known."""
    said = [Said(line.number, line.notice, "refused", line.why) for line in lines if line.seen is None]
    good = [(line, line.seen) for line in lines if line.seen is not None]
    for start in range(0, len(good), _BATCH):
        batch = good[start : start + _BATCH]
        taken = observe.observe(sightings=[seen for _line, seen in batch], by=by, now=now)
        said += [
            Said(line.number, line.notice, each.outcome, each.reason)
            for (line, _seen), each in zip(batch, taken, strict=True)
        ]
    return said


def _show(request: HttpRequest, form: LooksFileForm, *, status: int = 200, **more: Any) -> HttpResponse:
    now = timezone.now()
    seen = watching.seen_from(now=now)
    figures, at = Figures(), "next_check_at"
    due, coming = counters(
        [
            uncounted("checks_due", checks_due(now), at, name="", href="", figures=figures),
            uncounted("checks_coming", checks_coming(now), at, name="", href="", figures=figures),
        ]
    )
    leased, first_back_at = watching.with_checkers(now=now)
    behind = due.oldest is not None and due.oldest <= now - CHECK_LATE
    done = sum(each.hour for each in seen)
    pace, within = watching.pace(behind=behind, due=due.count, needed=coming.count, done=done)
    heard_at = watching.last_heard()
    oldest_first = checks_late(now).select_related("content", "provider").order_by("next_check_at", "pk")
    late = Bounded(oldest_first, PER_PAGE).get_page(request.GET.get("page"))
    hosts, reasons = watching.failing(now=now)
    context: dict[str, Any] = {
        "title": _("Checks"),
        "form": form,
        "may_add": request.user.has_perm("sighting.add"),
        "now": now,
        "due": due,
        "leased": leased,
        "first_back_at": first_back_at,
        "coming": coming,
        "done": done,
        "pace": str(pace),
        "within": within,
        "watched": Notice.objects.filter(next_check_at__isnull=False).exists(),
        "silent": heard_at is None or heard_at <= now - CHECK_LATE,
        "heard_at": heard_at,
        "vantages": seen,
        "rows": list(late),
        "page": late,
        "hosts": hosts,
        "reasons": [{"words": in_words(reason), "looks": reason.looks} for reason in reasons],
        "latest": watching.LATEST,
        "shown": _SHOWN,
        **more,
    }
    return page(request, TEMPLATE, context, status=status)
