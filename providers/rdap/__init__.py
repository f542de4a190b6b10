"""Asking the registries of IP networks (RDAP): which one (RFC 9224), how (RFC 7480), and what it says (RFC 9083).

Written here because no library lets the request be made by somebody else's client (docs/adr/0018).
"""

from providers.rdap.asking import Limited, Said, Unanswered, ask
from providers.rdap.reading import Network, Unreadable, read

__all__ = ["Limited", "Network", "Said", "Unanswered", "Unreadable", "ask", "read"]
