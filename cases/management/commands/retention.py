"""Erase what has been kept long enough."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from audit.record import Actor
from cases.clock import database_now
from cases.services import retention


class Command(BaseCommand):
    help = "Erase what has been kept long enough, and say how many rows of each kind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be erased")

    def handle(self, *args: Any, **options: Any) -> None:
        now = database_now()
        if options["dry_run"]:
            counts, word = retention.due(now=now), "would be erased"
        else:
            counts, word = retention.erase(by=Actor.system("retention"), now=now), "erased"
        for rule in retention.RULES:
            self.stdout.write(f"{rule.code:<14} {counts[rule.code]:>7} {word}: {rule.says}")
