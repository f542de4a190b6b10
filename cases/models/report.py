"""What came in, from whom, and what became of each line."""

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases import url as urls
from cases.models.content import Content
from vault.sealed import Sealed, new_id

#: Why a line was rejected although its address may be right: something beside the address cannot be kept.
LINE_REASONS: Final[dict[str, str | Promise]] = {
    "bad_received_at": _(
        "The time of receipt is not an instant with its zone, such as 2026-11-24T10:00:00+01:00."
    ),
    "bad_columns": _("This line has more or fewer columns than the header."),
    "referrer_too_long": _("The referrer is longer than 8,192 characters."),
    "reference_too_long": _("Their reference is longer than 200 characters."),
    "bad_sha256": _("The SHA-256 is not 64 hexadecimal digits."),
    "trivial_sha256": _(
        "This SHA-256 is that of an empty file, or nothing but zeros: it tells nothing. Leave it out."
    ),
    "category_too_long": _("The category is longer than 40 characters."),
    "words_beside": _("There are other words on this line. Put each address on a line of its own."),
    "note_too_long": _("The note is longer than 10,000 characters."),
    "material": _(
        "This looks like material itself, not like an address. Never send material; it was not kept."
    ),
}


#: A report of which nothing was read for so long is stuck: somebody should look.
STUCK: Final = timedelta(minutes=5)


class Source(models.Model):
    """Where reports come from: a partner hotline, the staff, the public form."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class ReportQuerySet(models.QuerySet["Report"]):
    """How far reports were read."""

    def unfinished(self) -> "ReportQuerySet":
        """Not read to the end."""
        return self.filter(finished_at__isnull=True)

    def stuck(self, *, now: datetime) -> "ReportQuerySet":
        """Not read to the end, and nothing of them was read for STUCK."""
        moved = Coalesce("moved_at", "received_at")
        return self.unfinished().alias(moved=moved).filter(moved__lte=now - STUCK)


class Report(models.Model):
    """One file, form or call from one source, with one to many lines (URLs)."""

    class Way(models.TextChoices):
        FILE = "file", _("file")
        FORM = "form", _("form")
        API = "api", _("API")
        PUBLIC = "public", _("public form")
        MAIL = "mail", _("mail")

    reference = models.CharField(_("reference"), max_length=16, unique=True, editable=False)
    source = models.ForeignKey(Source, models.PROTECT, related_name="reports", verbose_name=_("source"))
    way = models.CharField(_("way in"), max_length=6, choices=Way.choices)
    # SHA-256 of the bytes that came in: the same file again finds its first receipt instead of adding.
    digest = models.BinaryField(max_length=32, editable=False)
    their_reference = models.CharField(_("their reference"), max_length=200, blank=True)
    received_at = models.DateTimeField(_("received"))
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    total = models.PositiveIntegerField(_("lines"))
    done = models.PositiveIntegerField(_("lines done"), default=0)
    # When lines were last read; NULL before the first.
    moved_at = models.DateTimeField(_("last read"), null=True, blank=True, editable=False)
    by = models.CharField(_("by"), max_length=40)

    objects = ReportQuerySet.as_manager()

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["-received_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source", "digest"], name="report_once_per_source"),
            models.CheckConstraint(
                name="report_done_within_total", condition=models.Q(done__lte=models.F("total"))
            ),
        ]
        indexes = [
            models.Index(
                fields=["received_at"],
                name="report_unfinished",
                condition=models.Q(finished_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def is_stuck(self, *, now: datetime) -> bool:
        """Not read to the end, and nothing of it was read for STUCK."""
        return self.finished_at is None and (self.moved_at or self.received_at) <= now - STUCK


class ReportLine(models.Model):
    """One line of a report and its outcome. Its free texts are sealed: they may hold anything."""

    class Outcome(models.TextChoices):
        NEW = "new", _("new")
        DUPLICATE = "duplicate", _("duplicate")
        REAPPEARED = "reappeared", _("reappeared")
        REJECTED = "rejected", _("rejected")
        QUARANTINED = "quarantined", _("quarantined")

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    report = models.ForeignKey(Report, models.PROTECT, related_name="lines", verbose_name=_("report"))
    number = models.PositiveIntegerField(_("line"))
    outcome = models.CharField(_("outcome"), max_length=11, choices=Outcome.choices)
    # A code of cases.url.REASONS or LINE_REASONS.
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    content = models.ForeignKey(
        Content, models.PROTECT, null=True, blank=True, related_name="lines", verbose_name=_("content")
    )
    notice = models.ForeignKey(
        "cases.Notice", models.PROTECT, null=True, blank=True, related_name="lines", verbose_name=_("notice")
    )
    raw_sealed = models.BinaryField(null=True, editable=False)
    referrer_sealed = models.BinaryField(null=True, editable=False)
    note_sealed = models.BinaryField(null=True, editable=False)
    their_reference = models.CharField(_("their reference"), max_length=200, blank=True)
    category = models.CharField(_("category"), max_length=40, blank=True)
    # What its sender says that the file is; it counts once the line has its content (Fingerprint).
    sha256 = models.BinaryField(max_length=32, null=True, editable=False)
    reported_at = models.DateTimeField(_("reported"), null=True, blank=True)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    decided_by = models.CharField(_("decided by"), max_length=40, blank=True)

    raw = Sealed("raw_sealed")
    referrer = Sealed("referrer_sealed")
    note = Sealed("note_sealed")

    class Meta:
        verbose_name = _("line of a report")
        verbose_name_plural = _("lines of reports")
        ordering = ["report", "number"]
        constraints = [
            models.UniqueConstraint(fields=["report", "number"], name="line_once_per_report"),
            models.CheckConstraint(
                name="line_outcome_has_its_rows",
                condition=models.Q(
                    outcome__in=["new", "duplicate", "reappeared"],
                    content__isnull=False,
                    notice__isnull=False,
                )
                | models.Q(outcome__in=["rejected", "quarantined"], notice__isnull=True),
            ),
        ]
        indexes = [
            models.Index(
                fields=["report", "number"],
                name="line_waiting",
                condition=models.Q(outcome="quarantined", decided_at__isnull=True),
            ),
            # What was refused and still has its text: erased after a while (services/retention.py).
            models.Index(
                fields=["report"],
                name="line_refused_with_text",
                condition=models.Q(notice__isnull=True)
                & (
                    models.Q(raw_sealed__isnull=False)
                    | models.Q(referrer_sealed__isnull=False)
                    | models.Q(note_sealed__isnull=False)
                ),
            ),
            # What a person looks for in a receipt of ten thousand lines.
            models.Index(
                fields=["report", "outcome", "number"],
                name="line_not_taken",
                condition=models.Q(outcome__in=["rejected", "quarantined"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report_id}/{self.number}"

    @property
    def raw_text(self) -> str:
        """The text as it came in. It stands with the content when this line was the first to bring it."""
        return self.raw or (self.content.raw if self.content is not None else "")

    @property
    def reason_text(self) -> str:
        """Why it was rejected or put aside, in words; "" for other outcomes."""
        return reason_text(self.reason)


def reason_text(code: str) -> str:
    """The words of a reason, in the language of the moment; "" for no reason."""
    return str(urls.REASONS.get(code) or LINE_REASONS[code]) if code else ""
