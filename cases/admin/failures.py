"""Why a look could not tell, as a colleague would say it."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cases.services.watching import Reason

#: The checker's own phrase (checker/look.py) -> in words.
WORDS: Final[dict[str, str | Promise]] = {
    "no public address": gettext_lazy(
        "The name does not exist, or leads to no ordinary address of the Internet."
    ),
    "timed out": gettext_lazy("The server does not answer in time."),
    "TLS failed": gettext_lazy(
        "No secure connection: the certificate is wrong, or the server speaks no TLS."
    ),
    "sends more than is allowed": gettext_lazy("The server sends without end."),
    "connection refused": gettext_lazy("The server takes no connection."),
    "connection broken": gettext_lazy("The server breaks the connection off."),
    "not understood": gettext_lazy("The server answers in no way that a browser understands."),
    "no connection": gettext_lazy("The server cannot be reached."),
    "the proxy could not reach the site": gettext_lazy("Our own way out cannot reach the server."),
    "redirects to another site, not followed": gettext_lazy(
        "It leads on to another site, where we do not follow."
    ),
    "redirects to something that is no web page": gettext_lazy(
        "It leads on to something that is no web page."
    ),
    "redirects too often": gettext_lazy("It leads on from page to page."),
    "redirects to the start page": gettext_lazy("It leads to the start page of the site."),
    "not a URL that can be looked at": gettext_lazy(
        "The address is of a form that the checker does not visit."
    ),
    "nothing to compare the page with": gettext_lazy(
        "The site did not say how a page that does not exist looks."
    ),
    "begins like the page for unknown paths": gettext_lazy(
        "It cannot be told from a page that does not exist."
    ),
    "an empty page that loads its content by script": gettext_lazy("The page shows nothing without scripts."),
    "a challenge": gettext_lazy("The site asks for proof of a human (captcha)."),
    "a login page": gettext_lazy("The site asks for a log-in."),
    "fault of the checker": gettext_lazy("A fault of our own checker."),
}
_REFUSES: Final = {
    401: gettext_lazy("The site asks for a log-in."),
    403: gettext_lazy("The site refuses us (HTTP 403)."),
    429: gettext_lazy("The site says that we come too often (HTTP 429)."),
}
_FAULT_OF_THEIRS: Final = 500


def in_words(reason: Reason) -> str:
    """What stood in the way. A note that is none of the checker's phrases is not shown: it may say anything."""
    if reason.note in WORDS:
        return str(WORDS[reason.note])
    if reason.status in _REFUSES:
        return str(_REFUSES[reason.status])
    if reason.status >= _FAULT_OF_THEIRS:
        return _("The server has a fault of its own (HTTP %(status)d).") % {"status": reason.status}
    if reason.status:
        return _("The server answers HTTP %(status)d.") % {"status": reason.status}
    return _("Another reason.")
