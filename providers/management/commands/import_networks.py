"""Import networks from a CSV file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.record import Actor
from providers.files import BadFile, import_networks


class Command(BaseCommand):
    help = "Import networks from a CSV file: all of it, or nothing with each wrong line named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            added, updated = import_networks(
                options["file"], by=Actor.system("import_networks"), now=timezone.now()
            )
        except BadFile as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"networks: {added} added, {updated} updated")
