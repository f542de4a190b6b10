"""`import_reports FILE --source CODE [--dry-run] [--receipt PATH]`: take in a file of reports."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.record import Actor
from cases.formats import receipt
from cases.formats.receipt import ReceiptLine
from cases.intake.files import preview_file, take_file
from cases.models import ReportLine
from cases.services.receive import source_of
from cases.services.refused import Refused


class Command(BaseCommand):
    """Receipt to stdout or a file, progress and summary to stderr. Broken off, it goes on next time."""

    help = "Take in a file of reports: CSV, JSON lines, or one address per line. Twice adds nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--source", required=True, metavar="CODE", help="where the reports come from")
        parser.add_argument("--dry-run", action="store_true", help="say what would happen; store nothing")
        parser.add_argument(
            "--receipt", type=Path, metavar="PATH", help="write the receipt there, not to stdout"
        )

    def handle(self, *, file: Path, source: str, dry_run: bool, **options: Any) -> None:
        """Raises CommandError: exit status 1 for a refusal, 2 for a file that cannot be opened."""
        now = timezone.now()
        path: Path | None = options["receipt"]
        try:
            with file.open("rb") as stream:
                origin = source_of(source)
                if dry_run:
                    self._write(preview_file(stream, name=file.name), path)
                    self.stderr.write(_("Dry run: nothing was stored."))
                    return
                report = take_file(
                    stream,
                    name=file.name,
                    source=origin,
                    by=Actor.system("import_reports"),
                    now=now,
                    progress=self._progress,
                )
            self._write(receipt.lines(report), path)
        except OSError as problem:
            raise CommandError(f"{problem.strerror}: {problem.filename}", returncode=2) from problem
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        words = _("Report %(reference)s.")
        if report.finished_at != now:
            words = _("This file was taken in before, as report %(reference)s: nothing was added.")
        self.stderr.write(words % {"reference": report.reference})

    def _write(self, lines: Iterable[ReceiptLine], path: Path | None) -> None:
        counts: Counter[str] = Counter()
        if path is None:
            _write_to(self.stdout, _counted(lines, counts))
        else:
            with path.open("w", encoding="utf-8", newline="") as out:
                _write_to(out, _counted(lines, counts))
        each = ", ".join(f"{outcome} {counts[outcome]}" for outcome in ReportLine.Outcome)
        self.stderr.write(_("%(lines)d lines: %(each)s") % {"lines": counts.total(), "each": each})

    def _progress(self, done: int, total: int) -> None:
        end = "\r" if done < total and self.stderr.isatty() else "\n"
        self.stderr.write(_("%(done)d of %(total)d lines") % {"done": done, "total": total}, ending=end)


def _counted(lines: Iterable[ReceiptLine], counts: Counter[str]) -> Iterator[ReceiptLine]:
    for line in lines:
        counts[line.outcome] += 1
        yield line


class _Out(Protocol):
    def write(self, text: str, /) -> object: ...


def _write_to(out: _Out, lines: Iterable[ReceiptLine]) -> None:
    for text in receipt.as_csv(lines):
        out.write(text)
