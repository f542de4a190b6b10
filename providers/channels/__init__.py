"""Ways to hand a message over. A channel says what happened; it decides nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from providers.channels import smtp, webhook
from providers.channels.result import Channel

#: channel code of a contact -> opens a session that hands messages over, one after the other.
CHANNELS: dict[str, Callable[[], AbstractContextManager[Channel]]] = {
    "smtp": smtp.session,
    "webhook": webhook.session,
}
