"""Load the demo world, or let a few reports live through the whole path before your eyes."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone


class Command(BaseCommand):
    help = "Fill an empty database with a hotline's last days; with --live, watch new reports to their end."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--notices", type=int, default=200, help="how many (1 to 5000; default 200)")
        parser.add_argument("--live", action="store_true", help="a term of 2 minutes, six reports, no hands")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.HOST.demo:
            raise CommandError("DEMO is not set: this would put invented cases into a real database.")
        # Imported here: the demo world is no part of a deployment.
        from local.demo import live, world

        if options["live"]:
            if not live.play(say=self.stdout.write):
                raise CommandError("not everything came to its end in time")
            return
        if not 1 <= options["notices"] <= 5_000:
            raise CommandError("--notices must be from 1 to 5000.", returncode=2)
        try:
            access = world.load(notices=options["notices"], now=timezone.now(), say=self.stdout.write)
        except world.NotEmpty as refusal:
            raise CommandError("The database is not empty: the demo world was not loaded.") from refusal
        path = settings.BASE_DIR / "var" / "demo.json"
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(json.dumps(access, indent=1), encoding="utf-8")
        self.stdout.write(f"log-ins are in {path.relative_to(settings.BASE_DIR)}")
