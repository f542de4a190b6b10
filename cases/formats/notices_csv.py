"""Notices as `;`-separated CSV (RFC 4180) for a person's spreadsheet: never an address, never free text."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from cases.models import Notice
from providers.spreadsheets import neutral


class Column(NamedTuple):
    """Its head in the file is the code, for machines; `label` names it where it is chosen."""

    label: str | Promise
    of: Callable[[Notice], Any]


def _instant(name: str) -> Callable[[Notice], Any]:
    return lambda notice: getattr(notice, name)


def _named(name: str) -> Callable[[Notice], Any]:
    return lambda notice: getattr(notice, name) or ""


#: What can be exported, in this order. `dispatches` and `source` are read beside the rows.
COLUMNS: Final[dict[str, Column]] = {
    "reference": Column(_("reference"), lambda notice: notice.reference),
    "state": Column(_("state"), lambda notice: notice.state),
    "closed_because": Column(_("closed because"), lambda notice: notice.closed_because),
    "class": Column(_("class"), lambda notice: notice.legal_class),
    "urgent": Column(_("urgent"), lambda notice: "yes" if notice.urgent else "no"),
    "hold": Column(_("hold"), lambda notice: notice.hold),
    "provider_code": Column(_("provider's code"), lambda notice: notice.provider.code if notice.provider else ""),
    "provider": Column(_("provider"), lambda notice: notice.provider.name if notice.provider else ""),
    "source": Column(_("source"), _named("source_code")),
    "dispatches": Column(_("numbers of the messages"), _named("dispatch_numbers")),
    **{
        name: Column(getattr(Notice._meta.get_field(name), "verbose_name", name), _instant(name))
        for name in (
            "received_at", "assessed_at", "sent_at", "notified_at", "due_at", "acknowledged_at",
            "claimed_removed_at", "disputed_at", "last_seen_online_at", "gone_since", "removed_at",
            "escalated_at", "closed_at",
        )
    },
}  # fmt: skip


def written(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as text; what a spreadsheet would take for a formula is made harmless, instants are ISO 8601 in UTC."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return out.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else neutral(str(value))
