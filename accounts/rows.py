"""The second layer under the scope of a provider: the database itself shows no row of another (docs/adr/0032)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection, transaction

#: Owns nothing, logs in nowhere, and sees what the policies let through; made by whoever runs the database.
ROLE: Final = "takedown_provider"
#: The setting that the policies compare with. Unset or empty is nobody's.
SETTING: Final = "takedown.provider"

_ENTER: Final = f"SELECT set_config('role', '{ROLE}', true), set_config('{SETTING}', %s, true)"
_LEAVE: Final = f"SELECT set_config('role', 'none', true), set_config('{SETTING}', '', true)"


@contextmanager
def only_of(provider_id: int) -> Iterator[None]:
    """One transaction that sees and writes rows of this provider alone, whatever is asked of it.

    Both settings end with the transaction, so no pooled connection carries them on. They are taken back before it
    commits: what the database checks then, it checks with the rights of the application.
    """
    with transaction.atomic():
        _set(_ENTER, [str(provider_id)])
        yield
        _set(_LEAVE)


def _set(statement: str, parameters: list[str] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
