"""The text of a message, from a template, in the contact's language."""

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from cases.clock import AMSTERDAM
from cases.formats import attached
from cases.formats.letter import Letter


def subject(letter: Letter) -> str:
    """Neutral, and without a word of the content: it is shown on lock screens and kept in logs."""
    hours = letter.term.total_seconds() / 3600
    with translation.override(letter.provider.language):
        number = letter.dispatch.number
        if letter.is_first:
            return f"[{number}] " + _("Notice: illegal content on your network (%(hours)gh)") % {
                "hours": hours
            }
        return f"[{number}] " + _("Reminder %(count)d: illegal content on your network") % {
            "count": letter.dispatch.round
        }


def body(letter: Letter) -> str:
    """The whole text, UTF-8, lines of at most 998 bytes left to the mail policy."""
    with translation.override(letter.provider.language):
        text = render_to_string(
            "mail/notice.txt",
            {
                "letter": letter,
                "attached": attached.told(letter),
                "organisation": settings.HOST.organisation,
                "sender": settings.HOST.sender_address,
                "base_url": settings.BASE_URL,
                "hours": f"{letter.term.total_seconds() / 3600:g}",
                "amsterdam": AMSTERDAM,
            },
        )
    return text.strip() + "\n"
