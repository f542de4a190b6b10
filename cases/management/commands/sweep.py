"""One pass of the sweeps in the foreground: no broker needed."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from cases.tasks import SWEEPS


class Command(BaseCommand):
    help = "Do what is due, once, in the foreground."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("which", nargs="?", default="all", choices=[*SWEEPS, "all"])

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = SWEEPS if options["which"] == "all" else {options["which"]: SWEEPS[options["which"]]}
        for name, task in chosen.items():
            task()
            self.stdout.write(f"{name}: done")
