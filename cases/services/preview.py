"""A message as it would leave now, for who lets it go: in its real words, its addresses masked."""

from dataclasses import replace
from datetime import datetime

from cases.formats import text
from cases.models import Dispatch, Notice
from cases.services.letters import letter_of


def about_to_leave(dispatch: Dispatch, *, now: datetime) -> tuple[str, str]:
    """Subject and text. What is looked up again just before sending may still take lines off."""
    on_it = dispatch.lines.filter(dropped_because="").values("notice")
    letter = letter_of(dispatch, list(Notice.objects.filter(pk__in=on_it).order_by("pk")), now=now)
    masked = tuple(
        replace(line, url="", defanged_url="", referrer="", defanged_referrer="") for line in letter.lines
    )
    letter = replace(letter, lines=masked)
    return text.subject(letter), text.body(letter)
