"""Raw text -> canonical URL, host and masked form: the one parser of reported addresses.

Pure: no database, no clock, no network. Exceptions carry a code, never the text they are about.
"""

from cases.url.reasons import REASONS
from cases.url.rule import RULE_VERSION, Parsed, Quarantine, Refusal, parse
from cases.url.shown import defanged, masked
from cases.url.written import without_addresses

__all__ = [
    "REASONS",
    "RULE_VERSION",
    "Parsed",
    "Quarantine",
    "Refusal",
    "defanged",
    "masked",
    "parse",
    "without_addresses",
]
