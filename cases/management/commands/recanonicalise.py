"""`recanonicalise [--dry-run]`: read stored addresses again by the rule of today."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.record import Actor
from cases import url as urls
from cases.models import Rereading
from cases.services.recanonicalise import CHANGED, UNCHANGED, Left, outdated, recanonicalise, references


class Command(BaseCommand):
    """Counts to stdout, then one line for each that was left, by reference; progress to stderr."""

    help = (
        "Read every address of an older rule again. Unchanged or another form: written. Would join another, "
        "another host than the provider who was told, now refused or put aside: listed, and left as it is."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would become of them")

    def handle(self, *, dry_run: bool, **options: Any) -> None:
        """No address is ever printed."""
        self._total = outdated()
        tally = recanonicalise(
            by=Actor.system("recanonicalise"), now=timezone.now(), dry_run=dry_run, progress=self._progress
        )
        for outcome in (UNCHANGED, CHANGED, *Rereading.Outcome):
            self.stdout.write(f"{outcome:<12} {tally.counts[outcome]}")
        self._list(tally.left)
        if dry_run:
            self.stderr.write(_("Dry run: nothing was stored."))

    def _progress(self, done: int) -> None:
        end = "\r" if done < self._total and self.stderr.isatty() else "\n"
        words = _("%(done)d of %(total)d addresses, rule %(version)d")
        numbers = {"done": done, "total": self._total, "version": urls.RULE_VERSION}
        self.stderr.write(words % numbers, ending=end)

    def _list(self, left: list[Left]) -> None:
        ids = {pk for one in left for pk in (one.content_id, one.other_id) if pk is not None}
        known = references(list(ids))
        for one in left:
            names = [known.get(pk, str(pk)) for pk in (one.content_id, one.other_id) if pk is not None]
            self.stdout.write(" ".join([one.outcome, *names, *filter(None, [one.reason])]))
