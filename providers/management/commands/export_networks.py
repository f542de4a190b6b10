"""Export networks as a CSV file."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from audit.record import Actor
from providers.files import export_networks


class Command(BaseCommand):
    help = "Write networks to standard output, as import_networks reads them."

    def handle(self, *args: Any, **options: Any) -> None:
        # The file has line ends of its own.
        self.stdout.ending = ""
        lines = export_networks(self.stdout, by=Actor.system("export_networks"), now=timezone.now())
        self.stderr.write(f"networks: {lines} lines")
