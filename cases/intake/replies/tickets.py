"""The number under which their machine took a mail in."""

import re
from typing import Final

LONGEST: Final = 60
#: lines of the text that are looked at, and characters of each.
_LINES: Final = 60
_WIDTH: Final = 300

#: What is ours comes back in every answer, and so do the hours of the term.
_OURS: Final = re.compile(
    r"\[?\bNTD-\d{4}-\d+\]?|\bN-[0-9A-HJKMNP-TV-Z]{10}\b|\(\d+(?:[.,]\d+)? ?[hu]\)", re.IGNORECASE
)
_NUMBER: Final = r"([A-Z0-9](?:[A-Z0-9./-]{0,38}[A-Z0-9])?)"
_WORD: Final = (
    r"(?:ticket|case|incident|request|issue|reference|ref|tracking|zaak|kenmerk|referentie|melding|dossier|verzoek|"
    r"anfrage|vorgang)(?:s?[ -]?(?:id|nr|no|number|nummer|code))?"
)
#: As ticket systems write it: [Ticket#2026112510000123], [example.net #12345], ##98765##, "kenmerk: AB/12345", #4711.
_PATTERNS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\[(?:[^\[\]#]{{0,40}}[#: ]{{1,3}})?{_NUMBER}\]",
        rf"##[ -]?{_NUMBER}[ -]?##",
        rf"\b{_WORD}\b[ .:#=(-]{{1,4}}(?:(?:is|nr\.?|no\.?|number|nummer)[ :#]{{1,3}})?{_NUMBER}",
        rf"(?:^|[\s(\[])#{_NUMBER}",
    )
)
#: Words stand where numbers do ("request was received"): a number has this many digits.
_DIGITS: Final = 3


def ticket_in(subject: str, text: str) -> str:
    """Their number, from the subject or else from the beginning of the text; "" when there is none."""
    own = [line[:_WIDTH] for line in text.splitlines() if not line.startswith(">")][:_LINES]
    for line in (subject[:_WIDTH], *own):
        plain = _OURS.sub(" ", line)
        for pattern in _PATTERNS:
            for found in pattern.finditer(plain):
                if sum(character.isdigit() for character in found[1]) >= _DIGITS:
                    return found[1].upper()[:LONGEST]
    return ""
