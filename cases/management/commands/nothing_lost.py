"""After a move of the database: say that nothing was lost, so that sending goes on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.record import Actor
from cases.clock import database_now
from cases.services.restored import look_round, stay


class Command(BaseCommand):
    help = (
        "Say how this database came here. When a backup was put back, or it was moved, all that waits to be sent is "
        "set aside; with --yes whoever runs this says that it has every message that was sent, and sending goes on."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="nothing was lost")

    def handle(self, *args: Any, yes: bool, **options: Any) -> None:
        by, now = Actor.system("nothing_lost"), database_now()
        if yes:
            self.stdout.write(f"{stay(by=by, now=now)} messages wait to be sent again.")
            return
        place = look_round(by=by, now=now)
        if place.doubted_until is None:
            self.stdout.write(f"Here since {place.since:%Y-%m-%d %H:%M} UTC. Nothing is in doubt.")
            return
        self.stdout.write(
            f"Here since {place.since:%Y-%m-%d %H:%M} UTC. Of what came in before {place.doubted_until:%Y-%m-%d %H:%M}"
            " UTC nobody can tell whether it has gone out: see /staff/outbox/."
        )
