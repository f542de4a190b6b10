"""Providers and networks from CSV files, and back: a file is taken whole or not at all, each wrong line by its number."""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Final, Protocol, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from audit.refused import Refused
from providers.models import Contact, Network, Provider
from providers.spreadsheets import exact, neutral

T = TypeVar("T")

PROVIDER_COLUMNS: Final = (
    "code", "name", "kind", "country", "language", "contact", "channel", "mode", "website", "kvk", "signatory",
)  # fmt: skip
#: A file may also have these.
OPTIONAL_PROVIDER_COLUMNS: Final = ("formats", "hash_user", "most_lines")
NETWORK_COLUMNS: Final = ("prefix", "provider", "asn", "country", "name")
#: Wrong lines of a file that are named.
MOST_SHOWN: Final = 20


class Writes(Protocol):
    """A file, or what a command says."""

    def write(self, text: str, /) -> object: ...


class BadFile(Refused):
    """The file cannot be taken; each entry of `errors` names a line and a column."""

    code = "bad_file"

    def __init__(self, errors: list[str]) -> None:
        self.errors = errors
        more = len(errors) - MOST_SHOWN
        shown = errors[:MOST_SHOWN] + ([_("... and %(count)d more.") % {"count": more}] if more > 0 else [])
        super().__init__("\n".join(shown))


def import_providers(path: Path, *, by: Actor, now: datetime) -> tuple[int, int]:
    """Add or update providers and their contacts by code; returns (added, updated).

    A file is brought by a person who may: a contact that is new in it is approved by that. A webhook that has no
    endpoint yet is reached by mail at the address given.
    """
    rows = list(_parsed(path, PROVIDER_COLUMNS, _provider, optional=OPTIONAL_PROVIDER_COLUMNS))
    added = 0
    with transaction.atomic():
        for number, (fields, contact) in rows:
            code = fields.pop("code")
            provider, created = Provider.objects.update_or_create(code=code, defaults=fields)
            added += created
            _keep_contact(provider, contact, by=by, now=now)
            record(
                "import",
                "provider",
                provider.pk,
                by=by,
                at=now,
                data={"code": code, "line": number, "new": created},
            )
    return added, len(rows) - added


def import_networks(path: Path, *, by: Actor, now: datetime) -> tuple[int, int]:
    """Add or update networks by prefix; returns (added, updated)."""
    codes = dict(Provider.objects.values_list("code", "pk"))

    def network(row: dict[str, str]) -> dict[str, object]:
        if row["provider"] not in codes:
            raise _Wrong("provider", _("there is no provider with this code: import the providers first"))
        return {
            "prefix": _prefix(row["prefix"]),
            "provider_id": codes[row["provider"]],
            "asn": _asn(row["asn"]),
            "country": _country(row["country"]),
            "name": _text(row, "name", 100),
        }

    rows = list(_parsed(path, NETWORK_COLUMNS, network))
    added = 0
    with transaction.atomic():
        for number, fields in rows:
            prefix = fields.pop("prefix")
            row, created = Network.objects.update_or_create(prefix=prefix, defaults=fields)
            added += created
            record("import", "network", row.pk, by=by, at=now, data={"line": number, "new": created})
    return added, len(rows) - added


def export_providers(out: Writes, *, by: Actor, now: datetime) -> tuple[int, int]:
    """Write what `import_providers` reads; returns (lines, providers left out).

    There is a line for each mail address that notices go to.
    Bringing a file approves what is new in it: an address that waits for a yes or is suspended is not written. A
    provider without any address in use is left out, because a line must have one.
    """
    lines, written = _Lines(out, PROVIDER_COLUMNS + OPTIONAL_PROVIDER_COLUMNS), set()
    count = 0
    with transaction.atomic():
        contacts = (
            Contact.objects.for_notices().filter(channel=Contact.Channel.SMTP).select_related("provider")
        )
        for contact in contacts.order_by("provider__code", "pk"):
            provider = contact.provider
            lines.write(
                {
                    **{name: getattr(provider, name) for name in PROVIDER_COLUMNS if hasattr(provider, name)},
                    "contact": contact.address,
                    "channel": contact.channel,
                    "mode": contact.mode,
                    "formats": contact.formats,
                    "signatory": "yes" if provider.signatory else "no",
                    "hash_user": "yes" if provider.hash_user else "no",
                    "most_lines": provider.most_lines or "",
                }
            )
            written.add(provider.pk)
            count += 1
        left_out = Provider.objects.exclude(pk__in=written).count()
        record("export", "provider", 0, by=by, at=now, data={"lines": count})
    return count, left_out


def export_networks(out: Writes, *, by: Actor, now: datetime) -> int:
    """Write what `import_networks` reads; returns the number of lines."""
    lines = _Lines(out, NETWORK_COLUMNS)
    count = 0
    with transaction.atomic():
        for network in Network.objects.select_related("provider").order_by("prefix", "pk"):
            fields = {name: getattr(network, name) for name in NETWORK_COLUMNS}
            lines.write(fields | {"provider": network.provider.code})
            count += 1
        record("export", "network", 0, by=by, at=now, data={"lines": count})
    return count


class _Lines:
    """A file's lines, in which a spreadsheet finds no formula; `import_...` reads them as they were."""

    def __init__(self, out: Writes, columns: tuple[str, ...]) -> None:
        self._lines = csv.DictWriter(out, columns, delimiter=";", lineterminator="\r\n")
        self._lines.writeheader()

    def write(self, row: Mapping[str, object]) -> None:
        """One line."""
        self._lines.writerow({name: neutral(str(value)) for name, value in row.items()})


class _Wrong(Exception):
    """A value of one column is wrong."""

    def __init__(self, column: str, why: str) -> None:
        self.column, self.why = column, why
        super().__init__(why)


def _parsed(
    path: Path,
    columns: tuple[str, ...],
    convert: Callable[[dict[str, str]], T],
    *,
    optional: tuple[str, ...] = (),
) -> Iterator[tuple[int, T]]:
    """(line, converted row) of each row. Raises BadFile with every wrong line, before the first is yielded."""
    errors: list[str] = []
    good: list[tuple[int, T]] = []
    for number, row in _rows(path, columns, optional):
        try:
            good.append((number, convert(row)))
        except _Wrong as wrong:
            errors.append(
                _("line %(line)d, column %(column)s: %(why)s.")
                % {"line": number, "column": wrong.column, "why": wrong.why}
            )
    if errors:
        raise BadFile(errors)
    yield from good


def _rows(
    path: Path, columns: tuple[str, ...], optional: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise BadFile([_("The file cannot be read: %(why)s.") % {"why": error.strerror}]) from error
    except UnicodeDecodeError as error:
        raise BadFile([_("The file is not UTF-8 text (byte %(place)d).") % {"place": error.start}]) from error
    if "\0" in text:
        raise BadFile([_("The file holds NUL bytes: it is no CSV text.")])
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True)
    try:
        header = next(reader, None)
        if header is None:
            raise BadFile([_("The file is empty.")])
        if sorted(set(header) - set(optional)) != sorted(columns) or len(set(header)) != len(header):
            raise BadFile([_("line 1: the columns must be %(columns)s.") % {"columns": ";".join(columns)}])
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                raise BadFile(
                    [
                        _("line %(line)d: it has %(found)d values, the header has %(wanted)d.")
                        % {"line": reader.line_num, "found": len(cells), "wanted": len(header)}
                    ]
                )
            yield (
                reader.line_num,
                {name: exact(cell.strip()) for name, cell in zip(header, cells, strict=True)},
            )
    except csv.Error as error:
        raise BadFile([_("line %(line)d: %(why)s.") % {"line": reader.line_num, "why": error}]) from error


def _provider(row: dict[str, str]) -> tuple[dict[str, object], dict[str, str]]:
    try:
        validate_email(row["contact"])
    except ValidationError as error:
        raise _Wrong("contact", _("it must be a mail address")) from error
    fields = {
        "code": _matching(row, "code", r"[a-z0-9_-]{1,40}", _("use lower-case letters, digits, - and _")),
        "name": _text(row, "name", 200),
        "kind": _choice(row, "kind", Provider.Kind.values),
        "country": _country(row["country"]),
        "language": _choice(row, "language", ["nl", "en"]),
        "website": _matching(row, "website", r"[A-Za-z0-9._-]{0,253}", _("it must be a host name")),
        "kvk": _matching(row, "kvk", r"(\d{8})?", _("it must be 8 digits or empty")),
        "signatory": _choice(row, "signatory", ["yes", "no"]) == "yes",
    }
    # A file that says nothing of these leaves them.
    if row.get("hash_user"):
        fields["hash_user"] = _choice(row, "hash_user", ["yes", "no"]) == "yes"
    if "most_lines" in row:
        most = _matching(
            row, "most_lines", r"[1-9]\d{0,3}|", _("it must be a number from 1 to 9999, or empty")
        )
        fields["most_lines"] = int(most) if most else None
    _choice(row, "channel", [Contact.Channel.SMTP, Contact.Channel.WEBHOOK])
    mode = _choice(row, "mode", Contact.Mode.values)
    contact = {"address": row["contact"], "mode": mode}
    if row.get("formats"):
        fitting = [Contact.Formats.CSV, *([] if mode != Contact.Mode.ATTACHMENT else ("xarf", "both"))]
        contact["formats"] = _choice(row, "formats", [str(each) for each in fitting])
    return fields, contact


def _keep_contact(provider: Provider, contact: dict[str, str], *, by: Actor, now: datetime) -> None:
    usual = Contact.Formats.CSV if contact["mode"] == Contact.Mode.ATTACHMENT else Contact.Formats.NONE
    row, created = Contact.objects.get_or_create(
        provider=provider,
        channel=Contact.Channel.SMTP,
        address=contact["address"],
        defaults={
            "mode": contact["mode"],
            "formats": contact.get("formats", usual),
            "approved_at": now,
            "approved_by": str(by),
            "added_by": str(by),
        },
    )
    if created:
        record("approve", "contact", row.pk, by=by, at=now, data={"provider": provider.code})
        return
    # A file that says nothing of formats leaves them, as long as they go with the mode.
    formats = contact.get("formats", row.formats if row.mode == contact["mode"] else usual)
    if (row.mode, row.formats) != (contact["mode"], formats):
        row.mode, row.formats = contact["mode"], formats
        row.save(update_fields=["mode", "formats"])


def _text(row: dict[str, str], column: str, longest: int) -> str:
    if not 0 < len(row[column]) <= longest:
        raise _Wrong(column, _("it must have 1 to %(longest)d characters") % {"longest": longest})
    if not row[column].isprintable():
        raise _Wrong(column, _("it must be one line, without control characters"))
    return row[column]


def _choice(row: dict[str, str], column: str, choices: list[str]) -> str:
    if row[column] not in choices:
        raise _Wrong(column, _("it must be one of %(choices)s") % {"choices": ", ".join(choices)})
    return row[column]


def _matching(row: dict[str, str], column: str, pattern: str, why: str) -> str:
    if not re.fullmatch(pattern, row[column], re.ASCII):
        raise _Wrong(column, why)
    return row[column]


def _country(text: str) -> str:
    if not re.fullmatch("[A-Z]{2}", text):
        raise _Wrong("country", _("it must be two capital letters (ISO 3166-1)"))
    return text


def _asn(text: str) -> int:
    if not re.fullmatch(r"\d{1,10}", text, re.ASCII) or int(text) > 4_294_967_295:
        raise _Wrong("asn", _("it must be a number from 0 to 4294967295"))
    return int(text)


def _prefix(text: str) -> str:
    try:
        return str(ip_network(text, strict=True))
    except ValueError as error:
        raise _Wrong("prefix", _("it must be a network such as 192.0.2.0/24, without host bits")) from error
