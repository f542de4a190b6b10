"""What all doors for machines share: the one parser, the one table of refusals, pages of lists."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import IO, TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db.models import QuerySet
from django.http import Http404, UnreadablePostError
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework import exceptions
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from cases.api.fields import MOST_ERRORS
from cases.intake import strict_json
from cases.services.refused import Invalid, NotFound, Refused, Stale, WrongState

if TYPE_CHECKING:  # the settings name this module, so views cannot be imported here
    from rest_framework.views import APIView

#: bytes; 10,000 lines with a note each stay well below.
MAX_BODY: Final = 5 * 1024 * 1024

#: A refusal -> the status of its answer; a subclass that is not here has its parent's.
STATUS: Final[dict[type[Refused], HTTPStatus]] = {
    Refused: HTTPStatus.CONFLICT,
    NotFound: HTTPStatus.NOT_FOUND,
    WrongState: HTTPStatus.CONFLICT,
    Stale: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
}


class TooLarge(exceptions.APIException):
    """The body is larger than we read."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """JSON in UTF-8, of limited size and depth, without what other readers would read differently."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Raises UnsupportedMediaType (charset, compression), TooLarge or ParseError."""
        _kind, parameters = parse_header_parameters(media_type or self.media_type)
        request: Request | None = (parser_context or {}).get("request")
        packed = request.headers.get("Content-Encoding", "identity") if request else "identity"
        if packed.strip().lower() not in {"", "identity"}:
            # What is unpacked may be a thousand times as large as what came in.
            raise exceptions.UnsupportedMediaType(packed, detail=_("A compressed body is not read."))
        if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            raise exceptions.UnsupportedMediaType(media_type or "", detail=_("JSON is read in UTF-8 only."))
        body = stream.read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            raise _too_large()
        if not body:
            raise exceptions.ParseError(_("The body is empty."))
        try:
            return strict_json.loads(body)
        except strict_json.BadJSON as problem:
            raise exceptions.ParseError(str(problem)) from None


class CursorPage(CursorPagination):
    """`{next, previous, results}`; the view says `ordering`, which ends in the primary key."""

    page_size_query_param = "page_size"
    max_page_size = 1_000
    cursor_query_description = "Where the page begins. Take it from `next` or `previous`, and make up none."
    page_size_query_description = "How many on a page."

    def get_ordering(self, request: Request, queryset: QuerySet[Any], view: "APIView") -> tuple[str, ...]:
        """The view's own order: a cursor holds only in one that never has ties."""
        ordering: tuple[str, ...] = view.ordering  # type: ignore[attr-defined]
        return ordering

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Raises NotFound for a cursor that is none, also for one that PostgreSQL would choke on."""
        cursor: Cursor | None = super().decode_cursor(request)
        if cursor is not None and "\0" in str(cursor.position):
            raise exceptions.NotFound(self.invalid_cursor_message)
        return cursor

    def get_page_size(self, request: Request) -> int:
        """Raises ValidationError for a size that is no number of 1 to 1,000."""
        asked = request.query_params.get("page_size")
        if asked is None:
            return int(self.page_size or self.max_page_size)
        if not (
            asked.isascii() and asked.isdigit() and len(asked) <= 4 and 1 <= int(asked) <= self.max_page_size
        ):
            raise exceptions.ValidationError(
                {"page_size": [_("It must be a number of 1 to %(most)d.") % {"most": self.max_page_size}]}
            )
        return int(asked)

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """The two parameters, as OpenAPI has them."""
        cursor, size = super().get_schema_operation_parameters(view)
        size["schema"] |= {"minimum": 1, "maximum": self.max_page_size, "default": self.page_size}
        return [cursor, size]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A page, as OpenAPI has it."""
        page: dict[str, Any] = super().get_paginated_response_schema(schema)
        for name, cursor in (("next", "cD1OLTRDUFEyWjdYS0Q"), ("previous", "cj0xJnA9Ti00Q1BRMlo3WEtE")):
            page["properties"][name]["example"] = f"https://hotline.example/api/v1/notices/?cursor={cursor}"
            page["properties"][name]["description"] = (
                f"The address of the {name} page; null when there is none."
            )
        return page | {"required": ["next", "previous", "results"], "additionalProperties": False}


def problem(exc: Exception, context: Mapping[str, Any]) -> Response | None:
    """The problem document (RFC 9457) of an expected error; None lets a fault rise.

    Members: type, title, status, detail, code (stable, for machines) and errors [{pointer, detail}].
    """
    headers: dict[str, str] = {}
    match exc:
        case Refused():
            status = next(STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS)
            extra = {"seen": exc.seen, "current": exc.current} if isinstance(exc, Stale) else {}
            return _document(status, str(exc), exc.code, **extra)
        case RequestDataTooBig():
            exc = _too_large()
        case UnreadablePostError():
            exc = exceptions.ParseError(_("The body broke off."))
        case Http404():
            exc = exceptions.NotFound()
        case PermissionDenied():
            exc = exceptions.PermissionDenied()
    if not isinstance(exc, exceptions.APIException):
        return None
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = "Bearer"
    if wait_s := getattr(exc, "wait", None):
        headers["Retry-After"] = str(wait_s)
    if isinstance(exc, exceptions.ValidationError):
        errors = [{"pointer": pointer, "detail": detail} for pointer, detail in _pointed("#", exc.detail)]
        response = _document(
            HTTPStatus(exc.status_code),
            _wrong(len(errors)),
            "invalid",
            errors=errors[:MOST_ERRORS],
        )
    else:
        code = exc.get_codes()
        response = _document(
            HTTPStatus(exc.status_code), str(exc.detail), code if isinstance(code, str) else exc.default_code
        )
    for name, value in headers.items():
        response[name] = value
    return response


def _wrong(count: int) -> str:
    if count >= MOST_ERRORS:
        return _("%(count)d things or more in this request are not right.") % {"count": MOST_ERRORS}
    return ngettext(
        "%(count)d thing in this request is not right.",
        "%(count)d things in this request are not right.",
        count,
    ) % {"count": count}


def _document(status: HTTPStatus, detail: str, code: str, **more: Any) -> Response:
    return Response(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
        }
        | more,
        status=status.value,
        content_type="application/problem+json",
    )


def _pointed(pointer: str, detail: Any) -> Iterator[tuple[str, str]]:
    """The errors of a serializer with their JSON pointers (RFC 6901, as a URI fragment)."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            step = str(key).replace("~", "~0").replace("/", "~1")
            yield from _pointed(pointer if key == "non_field_errors" else f"{pointer}/{step}", inner)
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            # A list of messages belongs to its field; a list of objects has one error object per item.
            yield from _pointed(
                f"{pointer}/{number}" if isinstance(inner, Mapping | list) else pointer, inner
            )
    else:
        yield pointer, str(detail)


def _too_large() -> TooLarge:
    return TooLarge(_("The body is larger than %(most)d MB.") % {"most": MAX_BODY // 2**20})
