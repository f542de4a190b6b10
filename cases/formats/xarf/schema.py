"""The official schemas, and whether a report is valid by them. Nothing is fetched, whatever a schema refers to."""

import json
import re
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from cases.formats.files import Unmade

SCHEMAS: Final = Path(__file__).parent / "schemas"
_CSAM: Final = "https://xarf.org/schemas/v4/types/content-csam.json"
# RFC 3986: a scheme, an authority, and nothing that would have to be encoded.
_CHARACTERS: Final = r"(?:[!$&'()*+,\-.0-9:;=@A-Z_a-z~]|%[0-9A-Fa-f]{2})"
_URI: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*://"
    rf"(?:\[[0-9A-Fa-f:.]+\]|{_CHARACTERS}+)(?::[0-9]*)?"
    rf"(?:/{_CHARACTERS}*)*(?:\?(?:{_CHARACTERS}|[/?])*)?(?:\#(?:{_CHARACTERS}|[/?])*)?"
)
_HOSTNAME: Final = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or _URI.fullmatch(value) is not None


def _is_hostname(value: object) -> bool:
    return not isinstance(value, str) or _HOSTNAME.fullmatch(value) is not None


def _is_instant(value: object) -> bool:
    if not isinstance(value, str):
        return True
    # There is no 30 February, whatever the pattern says: that raises ValueError.
    return _INSTANT.fullmatch(value) is not None and datetime.fromisoformat(value.upper()) is not None


def _is_email(value: object) -> bool:
    if isinstance(value, str):
        validate_email(value)
    return True


#: The formats that the schemas name and we use. What the library leaves to further packages is checked here.
FORMATS: Final = FormatChecker(formats=["uuid"])
FORMATS.checks("uri")(_is_uri)
FORMATS.checks("hostname")(_is_hostname)
FORMATS.checks("date-time", raises=ValueError)(_is_instant)
FORMATS.checks("email", raises=ValidationError)(_is_email)


def hold(report: dict[str, Any], *, about: str) -> None:
    """Raises Unmade unless `report` is valid. It says which fields are wrong and why, not what stands in them."""
    wrong = sorted({f"{error.json_path} ({error.validator})" for error in _validator().iter_errors(report)})
    if wrong:
        raise Unmade(f"The XARF report about {about} is not valid: {', '.join(wrong)}.")


@cache
def _validator() -> Draft202012Validator:
    known = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(SCHEMAS.glob("*.json"))]
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in known
    )
    return Draft202012Validator({"$ref": _CSAM}, registry=registry, format_checker=FORMATS)
