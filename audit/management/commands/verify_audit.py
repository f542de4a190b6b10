"""Walk the whole chain of the audit."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.chain import extend, first_break
from audit.models import Link


class Command(BaseCommand):
    help = "Verify the audit's chain of digests; names the first link that does not fit."

    def handle(self, *args: Any, **options: Any) -> None:
        extend()
        found = first_break()
        if found is not None:
            raise CommandError(f"audit: broken at link {found.seq} (event {found.event_id}): {found.what}")
        head = Link.objects.order_by("-seq").first()
        count, digest = (head.seq, bytes(head.digest).hex()) if head else (0, "-")
        self.stdout.write(f"audit: {count} events, chain whole, head {digest}")
