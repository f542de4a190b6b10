"""Ask the invariants of the database as it stands."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.chain import extend
from cases.clock import database_now
from cases.services.verify import Finding, verify


class Command(BaseCommand):
    help = "Check the invariants I1 to I15, one line each; exit status 1 if one is broken."

    def handle(self, *args: Any, **options: Any) -> None:
        extend()
        if not verify(self._line, now=database_now()):
            raise CommandError("an invariant is broken")

    def _line(self, finding: Finding) -> None:
        word = {None: "NOT RUN", False: "ok", True: "BROKEN"}[finding.broken]
        self.stdout.write(f"{finding.code:<4} {word:<8} {finding.says}")
