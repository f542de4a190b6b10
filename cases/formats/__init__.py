"""Shapes of a dispatch: what the message says, and what goes along with it."""

from collections.abc import Callable

from cases.formats import csv_lines
from cases.formats.letter import Letter
from providers.models import Contact

#: mode of a contact -> the attachments of a letter: (file name, media type, text).
ATTACHMENTS: dict[str, tuple[Callable[[Letter], tuple[str, str, str]], ...]] = {
    Contact.Mode.PORTAL: (),
    Contact.Mode.API: (),
    Contact.Mode.DEFANGED: (),
    Contact.Mode.ATTACHMENT: (csv_lines.attachment,),
}
