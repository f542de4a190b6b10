"""The description of the API (OpenAPI 3): what drf-spectacular cannot see in the views."""

from http import HTTPStatus
from typing import Any, Final

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers

#: What may go wrong with any call.
ALWAYS: Final[dict[HTTPStatus, str]] = {
    HTTPStatus.BAD_REQUEST: "Not of this shape. `errors` points at each wrong place, or the first hundred.",
    HTTPStatus.UNAUTHORIZED: "No key was shown, or one that does not exist, has expired or was revoked.",
    HTTPStatus.FORBIDDEN: "The key is not for this: another scope, or another kind of owner.",
    HTTPStatus.NOT_ACCEPTABLE: "`Accept` names nothing that is spoken here: leave it out, or say application/json.",
    HTTPStatus.TOO_MANY_REQUESTS: "Too many calls with this key. Come back after `Retry-After` seconds.",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not now; nothing was half done. Come back after `Retry-After` seconds.",
}
#: With a call that names one thing, or a page of a list.
NAMED: Final[dict[HTTPStatus, str]] = {
    HTTPStatus.NOT_FOUND: "There is no such thing for this key. What is another's looks the same as what never was.",
}
#: With a call that brings something.
WRITES: Final[dict[HTTPStatus, str]] = {
    HTTPStatus.CONFLICT: "The first call with this Idempotency-Key is still being worked on. Send it again in a moment.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than 5 MB. Send it in parts.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body must be JSON in UTF-8, and not compressed.",
    HTTPStatus.UNPROCESSABLE_ENTITY: "Readable, and not possible: the Idempotency-Key was used for another body, or a "
    "name in it is not known here. `code` says which.",
}
#: Statuses that say when to come back.
LATER: Final = (HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
RETRY_AFTER: Final = {
    "description": "Seconds to wait before the call is made again.",
    "schema": {"type": "integer", "minimum": 1},
}
REPLAYED: Final = {
    "description": "`true` on the answer to a call that was made before.",
    "schema": {"type": "string", "enum": ["true"]},
}
LOCATION: Final = {
    "description": "Where it can be read again.",
    "schema": {"type": "string", "format": "uri"},
}


class ErrorAt(serializers.Serializer[Any]):
    """One thing that is not right."""

    pointer = serializers.CharField(
        help_text="Where: a JSON pointer (RFC 6901) as a URI fragment, such as `#/answers/0/at`. "
        "The name of a parameter stands alone: `#/limit`."
    )
    detail = serializers.CharField(help_text="What, in the language of Accept-Language.")


class Problem(serializers.Serializer[Any]):
    """A problem document (RFC 9457)."""

    type = serializers.CharField(help_text="`about:blank`: `title` is that of the status.")
    title = serializers.CharField(help_text="The name of the status.")
    status = serializers.IntegerField(
        min_value=400, max_value=599, help_text="The status, as in the answer's head."
    )
    detail = serializers.CharField(help_text="What went wrong, in the language of Accept-Language.")
    code = serializers.CharField(help_text="What went wrong, for programs: it does not change.")
    # The stubs mean Serializer.errors, which the metaclass keeps apart from declared fields.
    errors = ErrorAt(many=True, required=False)  # type: ignore[assignment]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a machine shows its key."""

    target_class = "accounts.authentication.BearerKey"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """The scheme, as OpenAPI has it."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "`Authorization: Bearer <key>` and nowhere else. Each operation names the scope that the "
            "key must have (`x-scope`). A key is shown once, when it is made; it can be revoked at any moment.",
        }


class Schema(AutoSchema):
    """Every operation says which scope it asks for, and each way in which it may go wrong."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with `x-scope`, its problems and the headers of its answers."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        scope = getattr(self.view, "required_scope", {}).get(self.method)
        if scope:
            operation["x-scope"] = str(scope)
        for status, answer in operation["responses"].items():
            headers = {}
            if self.method == "POST":
                headers["Idempotent-Replayed"] = REPLAYED
            if status == str(HTTPStatus.CREATED.value):
                headers["Location"] = LOCATION
            if headers:
                answer["headers"] = headers
            answer["description"] = answer["description"] or "Done."
        operation["responses"] |= self._problems(operation)
        return operation

    def _problems(self, operation: dict[str, Any]) -> dict[str, Any]:
        """Status -> the answer, as OpenAPI has it."""
        named = any(
            each["in"] == "path" or each["name"] == "cursor" for each in operation.get("parameters", [])
        )
        told = ALWAYS | (NAMED if named else {}) | (WRITES if self.method == "POST" else {})
        shape = self.resolve_serializer(Problem, "response").ref
        return {
            str(status.value): {
                "description": says,
                "content": {"application/problem+json": {"schema": shape}},
            }
            | ({"headers": {"Retry-After": RETRY_AFTER}} if status in LATER else {})
            for status, says in sorted(told.items())
        }


def refuse_the_unknown(result: dict[str, Any], **_more: Any) -> dict[str, Any]:
    """A hook of drf-spectacular. What is sent has the named fields and no others; what is answered may get more."""
    for name, schema in result["components"]["schemas"].items():
        if name.endswith("Request") and schema.get("type") == "object":
            schema["additionalProperties"] = False
    return result
