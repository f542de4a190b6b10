"""What the pages draw: icons as paths, and which shape, word and tone each state has. Data only."""

from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: Name -> the inside of an <svg viewBox="0 0 20 20">, stroked 1.7 wide in the colour of the text.
ICONS: Final[dict[str, str]] = {
    "arrow-left": '<path d="M16 10H4m5-5-5 5 5 5"/>',
    "arrow-right": '<path d="M4 10h12m-5-5 5 5-5 5"/>',
    "ban": '<circle cx="10" cy="10" r="7"/><path d="m5 5 10 10"/>',
    "bell": '<path d="M5 14V9a5 5 0 0 1 10 0v5l1 1H4zM8.5 17.5h3"/>',
    "check": '<path d="m4 10.5 4 4 8-9"/>',
    "check-circle": '<circle cx="10" cy="10" r="7"/><path d="m6.8 10.2 2.3 2.3 4.2-4.8"/>',
    "chevron": '<path d="m5 8 5 5 5-5"/>',
    "circle": '<circle cx="10" cy="10" r="6"/>',
    "clock": '<circle cx="10" cy="10" r="7"/><path d="M10 6v4.3l2.8 1.7"/>',
    "copy": '<rect x="7" y="7" width="9" height="9" rx="1.5"/><path d="M13 7V4H4v9h3"/>',
    "cross": '<path d="m5 5 10 10M15 5 5 15"/>',
    "document": '<path d="M5 2.5h7l3.5 3.5v11.5H5zM12 2.5V6h3.5M8 10h5M8 13.5h5"/>',
    "download": '<path d="M10 3v10m-4-4 4 4 4-4M4 17h12"/>',
    "dot": '<circle cx="10" cy="10" r="3.5" fill="currentColor"/>',
    "eye": '<path d="M1.8 10S4.8 4.8 10 4.8 18.2 10 18.2 10 15.2 15.2 10 15.2 1.8 10 1.8 10z"/>'
    '<circle cx="10" cy="10" r="2.3"/>',
    "eye-off": '<path d="M4.3 6.4C2.7 8 1.8 10 1.8 10S4.8 15.2 10 15.2c1.5 0 2.8-.4 3.9-1M8.2 5c.6-.1 1.2-.2'
    ' 1.8-.2 5.2 0 8.2 5.2 8.2 5.2s-.7 1.3-2 2.6M3 3l14 14"/>',
    "flag": '<path d="M5 17.5V3h9.5l-2 3.5 2 3.5H5"/>',
    "inbox": '<path d="M3 11 5.5 4h9L17 11v5H3zM3 11h4l1 2.2h4l1-2.2h4"/>',
    "info": '<circle cx="10" cy="10" r="7"/><path d="M10 9.2v4.5M10 6.4v.01"/>',
    "key": '<circle cx="7" cy="12.5" r="3.5"/><path d="m9.5 10 6.5-6.5M13 6.5l2.5 2.5"/>',
    "leave": '<path d="M8 3H4v14h4M8 10h9m-4-4 4 4-4 4"/>',
    "lock": '<rect x="4.5" y="9" width="11" height="8" rx="1.5"/><path d="M7 9V6.5a3 3 0 0 1 6 0V9"/>',
    "mail": '<rect x="2.5" y="4.5" width="15" height="11" rx="1.5"/><path d="m3 6 7 5 7-5"/>',
    "minus": '<path d="M5 10h10"/>',
    "moon": '<path d="M16.5 12A7 7 0 0 1 8 3.5a7 7 0 1 0 8.5 8.5z"/>',
    "pause": '<path d="M7 4.5v11M13 4.5v11"/>',
    "person": '<circle cx="10" cy="6.5" r="3.2"/><path d="M3.5 17a6.5 6.5 0 0 1 13 0"/>',
    "phone": '<path d="M4 3h3l1.5 4L6.7 8.5a9 9 0 0 0 4.8 4.8L13 11.5l4 1.5v3c0 .6-.4 1-1 1C9.1 17 3 10.9'
    ' 3 4c0-.6.4-1 1-1z"/>',
    "question": '<circle cx="10" cy="10" r="7"/><path d="M7.9 8.2a2.1 2.1 0 1 1 3 1.9c-.6.3-.9.7-.9'
    ' 1.3M10 13.8v.01"/>',
    "refresh": '<path d="M16 10a6 6 0 1 1-1.8-4.3L16 7.5M16 3.5v4h-4"/>',
    "return": '<path d="M8 4 4 8l4 4M4 8h8a4 4 0 0 1 0 8h-3"/>',
    "search": '<circle cx="8.8" cy="8.8" r="5.3"/><path d="m12.7 12.7 4.3 4.3"/>',
    "send": '<path d="M17.5 2.5 2.5 8.5l6 3 3 6zM8.5 11.5l3.5-3.5"/>',
    "server": '<rect x="3" y="3.5" width="14" height="5.5" rx="1.5"/>'
    '<rect x="3" y="11" width="14" height="5.5" rx="1.5"/><path d="M6 6.3v.01M6 13.8v.01"/>',
    "sun": '<circle cx="10" cy="10" r="3.3"/><path d="M10 2v2M10 16v2M2 10h2M16 10h2M4.3 4.3l1.4'
    ' 1.4M14.3 14.3l1.4 1.4M4.3 15.7l1.4-1.4M14.3 5.7l1.4-1.4"/>',
    "theme": '<circle cx="10" cy="10" r="7"/><path d="M10 3a7 7 0 0 1 0 14z" fill="currentColor"/>',
    "up": '<path d="M10 16V4M5 9l5-5 5 5"/>',
    "warning": '<path d="M10 3 18 16.5H2zM10 8v4M10 14.2v.01"/>',
}


class Badge(NamedTuple):
    """How a state is shown. `tone` is one of calm, faint, good, info, warn, bad; `icon` a key of ICONS."""

    tone: str
    icon: str
    label: str | Promise


#: Code -> badge, for every code that pages show: a notice's states first, then what else we say of one.
BADGES: Final[dict[str, Badge]] = {
    "received": Badge("calm", "circle", _("received")),
    "notified": Badge("info", "clock", _("notified")),
    "removed": Badge("good", "check", _("removed")),
    "escalated": Badge("bad", "up", _("escalated")),
    "dismissed": Badge("faint", "minus", _("dismissed")),
    "withdrawn": Badge("faint", "return", _("withdrawn")),
    # Facts beside the state.
    "overdue": Badge("bad", "warning", _("overdue")),
    "held": Badge("warn", "pause", _("on hold")),
    "police_first": Badge("warn", "pause", _("police first")),
    "contact_review": Badge("warn", "pause", _("contact under review")),
    "second_assessment": Badge("warn", "pause", _("second assessment")),
    "acknowledged": Badge("info", "person", _("acknowledged")),
    "claimed": Badge("info", "person", _("says removed")),
    "disputed": Badge("warn", "flag", _("disputed")),
    # Sightings.
    "online": Badge("bad", "eye", _("online")),
    "gone": Badge("good", "eye-off", _("gone")),
    "changed": Badge("good", "refresh", _("changed")),
    "blocked": Badge("warn", "ban", _("check blocked")),
    "unknown": Badge("calm", "question", _("unknown")),
    # A provider's claim against what we observe.
    "confirmed": Badge("good", "check-circle", _("confirmed")),
    "still_reachable": Badge("bad", "eye", _("still reachable")),
    "no_longer_found": Badge("good", "check", _("no longer found")),
    "claim_waiting": Badge("info", "clock", _("our check looks now")),
    "cannot_tell": Badge("calm", "question", _("cannot tell yet")),
    # Lines of a report.
    "new": Badge("good", "check", _("new")),
    "duplicate": Badge("calm", "copy", _("duplicate")),
    "reappeared": Badge("warn", "refresh", _("reappeared")),
    "rejected": Badge("bad", "cross", _("rejected")),
    "quarantined": Badge("warn", "lock", _("quarantined")),
    # Dispatches.
    "pending": Badge("calm", "clock", _("waiting to be sent")),
    "relayed": Badge("info", "send", _("with our relay")),
    "accepted": Badge("good", "check", _("accepted by their server")),
    "parked": Badge("bad", "warning", _("needs attention")),
    "cancelled": Badge("faint", "minus", _("cancelled")),
    "bounced": Badge("bad", "return", _("bounced")),
    # Contacts, people and keys.
    "approved": Badge("good", "check", _("approved")),
    "to_approve": Badge("warn", "clock", _("to be approved")),
    "suspended": Badge("bad", "pause", _("suspended")),
    "good": Badge("good", "check-circle", pgettext_lazy("health", "good")),
    "doubtful": Badge("warn", "question", pgettext_lazy("health", "doubtful")),
    "bad": Badge("bad", "warning", pgettext_lazy("health", "bad")),
    "active": Badge("good", "check", pgettext_lazy("a user or key", "active")),
    "revoked": Badge("faint", "cross", _("revoked")),
}
