"""`create_key NAME --scope S [--provider P]`: a key for a machine, printed once."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.models import Scope
from accounts.services import create_key
from audit.record import Actor


class Command(BaseCommand):
    """Make a key and print its secret on stdout; it cannot be shown again."""

    help = "Make an API key and print it once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the key is for, e.g. 'checker in Amsterdam'")
        parser.add_argument(
            "--scope",
            action="append",
            required=True,
            choices=list(Scope),
            metavar="SCOPE",
            help=f"may be given more than once: {', '.join(Scope)}",
        )
        parser.add_argument("--provider", metavar="CODE", help="the provider whose notices the key is for")

    def handle(self, *, name: str, scope: list[str], provider: str | None, **options: Any) -> None:
        """Raises CommandError (exit status 1) when the key cannot be made."""
        try:
            _key, secret = create_key(
                name=name,
                scopes=scope,
                provider_code=provider,
                by=Actor.system("create_key"),
                now=timezone.now(),
            )
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        self.stderr.write(self.style.WARNING("This key is shown once; keep it safe:"))
        self.stdout.write(secret)
