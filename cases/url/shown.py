"""How a canonical address may be shown: masked on screens, defanged where a person must have all of it."""

import re
from typing import Final

_TAIL: Final = 6
# The last: `[:]` and `[/]` of the path itself would be taken for defanged.
_LINKING: Final = re.compile(r"(://|\.|(?<=\[)[:/](?=\]))")


def masked(canonical: str) -> str:
    """`host/…` and the last six characters of what follows the host; of six or fewer only the last half.

    The host carries its port. This is all that a screen shows without a recorded reveal.
    """
    host, _slash, rest = canonical.partition("://")[2].partition("/")
    shown = _TAIL if len(rest) > _TAIL else len(rest) // 2
    return f"{host}/…{rest[len(rest) - shown :]}" if rest else f"{host}/"


def defanged(canonical: str) -> str:
    """`hxxps://host[.]tld/path[.]jpg`: readable and exact, but no program takes it for a link.

    `parse` makes the canonical form of it again.
    """
    scheme, _colon, rest = canonical.partition("://")
    host, slash, tail = rest.partition("/")
    host = host.replace(".", "[.]") if not host.startswith("[") else host.replace(":", "[:]")
    tail = _LINKING.sub(r"[\1]", tail)
    return f"{scheme.replace('tt', 'xx', 1)}://{host}{slash}{tail}"
