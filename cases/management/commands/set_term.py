"""Set the provider's term from an instant on."""

from argparse import ArgumentParser
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit.record import Actor
from cases.services.refused import Refused
from cases.services.rules import set_term

LONGEST_HOURS = 24 * 365


class Command(BaseCommand):
    help = "Add a deadline rule: HOURS (fractions allowed) from INSTANT on. Clocks that run keep theirs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("hours", help="the term, e.g. 24 or 0.0334")
        parser.add_argument("--from", dest="valid_from", default="now", help="ISO 8601 with zone, or: now")

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        try:
            hours = Decimal(options["hours"])
            if not 0 < hours <= LONGEST_HOURS:
                raise InvalidOperation
        except InvalidOperation as error:
            raise CommandError("HOURS must be a number above 0, at most a year.", returncode=2) from error
        valid_from = now if options["valid_from"] == "now" else _instant(options["valid_from"])
        term = timedelta(seconds=float(hours * 3600))
        try:
            rule = set_term(term=term, valid_from=valid_from, by=Actor.system("set_term"), now=now)
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"rule {rule.version}: {rule.term} from {rule.valid_from.isoformat()}")


def _instant(text: str) -> Any:
    try:
        instant = parse_datetime(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise CommandError(
            "--from must be an instant with its zone, e.g. 2026-12-01T00:00:00Z.", returncode=2
        )
    return instant
