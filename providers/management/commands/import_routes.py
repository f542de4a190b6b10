"""Import a routing table."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from audit.record import Actor
from audit.refused import Refused
from providers.dumps import LEAST_SEEN
from providers.routes import import_routes


class Command(BaseCommand):
    help = (
        "Import a routing table, prefix to AS number, in the place of the one in use: the text formats pfx2as (CAIDA), "
        "RIS whois dump (RIPE NCC) and `bgpdump -m`, plain or gzip. Give the files of both families at once."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", type=Path, nargs="+", metavar="FILE")
        parser.add_argument("--source", default="", help="what to call it; else the names of the files")
        parser.add_argument(
            "--least-seen",
            type=int,
            default=LEAST_SEEN,
            metavar="N",
            help="leave out routes that fewer peers see (RIS whois dumps only; %(default)s)",
        )
        parser.add_argument(
            "--even-if-smaller", action="store_true", help="also when it has less than half of what is in use"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        paths: list[Path] = options["files"]
        try:
            table = import_routes(
                paths,
                source=(options["source"] or ", ".join(path.name for path in paths))[:100],
                least_seen=options["least_seen"],
                even_if_smaller=options["even_if_smaller"],
                by=Actor.system("import_routes"),
                now=timezone.now(),
                told=self._tell,
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"routing table: {table.prefixes_v4} IPv4 and {table.prefixes_v6} IPv6 prefixes, "
            f"{table.several_origins} of more than one AS, {table.left_out} lines left out"
        )

    def _tell(self, lines: int) -> None:
        self.stderr.write(f"{lines:,} lines read")
