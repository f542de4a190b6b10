"""A write that is named with an Idempotency-Key happens once, however often it is sent (I11)."""

import hashlib
from contextlib import suppress
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import APIException, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import key_of
from accounts.door import Door
from accounts.models import IdempotentCall

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
#: Characters of a token.
LONGEST: Final = 255
#: How long an answer is remembered.
KEPT: Final = timedelta(days=7)


class OtherBody(APIException):
    """The token was used for something else."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY
    default_code = "idempotency_key_reused"
    default_detail = _("This Idempotency-Key was used for another request.")


class InFlight(APIException):
    """The first call has not been answered yet."""

    status_code = HTTPStatus.CONFLICT
    default_code = "idempotency_key_in_flight"
    default_detail = _(
        "The first request with this Idempotency-Key is still being worked on. Ask again in a moment."
    )
    wait = 1  # seconds, for Retry-After


class _AnsweredBefore(Exception):
    def __init__(self, call: IdempotentCall) -> None:
        self.call = call


#: For the description of every door that is Idempotent.
IDEMPOTENCY_KEY: Final = OpenApiParameter(
    HEADER,
    {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": r"^[\x20-\x7e]+$"},
    OpenApiParameter.HEADER,
    description="A name of your choice for this call, such as a UUID. The same name and body give the same answer "
    "for seven days, however often they are sent, marked `Idempotent-Replayed: true`.",
)


class Idempotent(Door):
    """Mix into a view: its POST honours Idempotency-Key, per API key.

    `call` is the remembered call during a named POST and None otherwise. Whether the first call is in flight
    is told by an advisory lock of its database session, which ends with its process; so a call whose process
    died may be made again at once, and its verb must be harmless when done twice.
    """

    call: IdempotentCall | None = None
    _lock: int | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            if self._lock is not None:
                # A lost connection has given the lock back by itself.
                with suppress(DatabaseError):
                    _ask("SELECT pg_advisory_unlock(%s)", self._lock)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After authentication: find out whether this call was made before."""
        super().initial(request, *args, **kwargs)
        token = request.headers.get(HEADER)
        if request.method == "POST" and token is not None:
            self._claim(request, token)

    def handle_exception(self, exc: Exception) -> Response | HttpResponse:  # type: ignore[override]
        """An earlier answer is given again as it was."""
        if not isinstance(exc, _AnsweredBefore):
            return super().handle_exception(exc)
        status = exc.call.status or HTTPStatus.OK
        kind = "application/json" if status < HTTPStatus.BAD_REQUEST else "application/problem+json"
        return HttpResponse(
            bytes(exc.call.answer or b""), status=status, content_type=kind, headers={REPLAYED: "true"}
        )

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Remember the answer. A fault of ours (5xx) is not an answer: the call may be made again."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if self.call is not None and answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            answer.render()
            IdempotentCall.objects.filter(pk=self.call.pk).update(
                status=answer.status_code, answer=answer.content
            )
        return answer

    def _claim(self, request: Request, token: str) -> None:
        """Raises ParseError, OtherBody, InFlight or _AnsweredBefore; otherwise the call is ours to make."""
        if not 0 < len(token) <= LONGEST or not token.isascii() or not token.isprintable():
            raise ParseError(_("An Idempotency-Key is 1 to 255 visible ASCII characters."))
        key, now = key_of(request), timezone.now()
        digest = hashlib.sha256(
            b"\0".join((str(request.method).encode(), request.path.encode(), request._request.body))
        ).digest()
        lock = int.from_bytes(hashlib.sha256(f"{key.pk}\0{token}".encode()).digest()[:8], signed=True)
        mine = _ask("SELECT pg_try_advisory_lock(%s)", lock)
        if mine:
            self._lock = lock
            IdempotentCall.objects.filter(key=key, created_at__lt=now - KEPT).delete()
            IdempotentCall.objects.bulk_create(
                [IdempotentCall(key=key, token=token, digest=digest, created_at=now)], ignore_conflicts=True
            )
        call = IdempotentCall.objects.filter(key=key, token=token).first()
        if call is not None and bytes(call.digest) != digest:
            raise OtherBody
        if call is None or not mine:
            raise InFlight
        if call.status is not None:
            raise _AnsweredBefore(call)
        self.call = call


def _ask(statement: str, lock: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [lock])
        (answer,) = cursor.fetchone()
    return bool(answer)
