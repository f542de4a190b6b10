"""Where the page of a message is, and how its address is kept out of what others read."""

import re
from typing import Final

from django.conf import settings

#: Also the beginning of an address that a mail program has folded or a person cut off.
_SECRET: Final = re.compile(r"/answer/[a-z2-7=\r\n]{8,60}/?", re.IGNORECASE)


def page_url(token: str) -> str:
    """The address that goes out in a mail. It must resolve: a test holds it to the portal's routes."""
    return f"{settings.BASE_URL}/answer/{token}/"


def without_link(text: str) -> str:
    """`text` as others than its addressee may read it: nobody of ours answers in a provider's name."""
    return _SECRET.sub("/answer/…/", text)
