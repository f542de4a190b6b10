"""The description of the API (OpenAPI 3): what drf-spectacular cannot see in the views."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework import serializers


class ErrorAt(serializers.Serializer[Any]):
    """One thing that is not right. `pointer` is a JSON pointer (RFC 6901) as a URI fragment."""

    pointer = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer[Any]):
    """A problem document (RFC 9457). `code` is stable; `detail` is worded for people."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(required=False)
    # The stubs mean Serializer.errors, which the metaclass keeps apart from declared fields.
    errors = ErrorAt(many=True, required=False)  # type: ignore[assignment]


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How a machine shows its key."""

    target_class = "accounts.authentication.BearerKey"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        """The scheme, as OpenAPI has it."""
        return {"type": "http", "scheme": "bearer"}


class Schema(AutoSchema):
    """Every operation says which scope it asks for, and that whatever goes wrong is a problem document."""

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """The operation with `x-scope` and the answer to everything else."""
        operation: dict[str, Any] | None = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        scope = getattr(self.view, "required_scope", {}).get(self.method)
        if scope:
            operation["x-scope"] = str(scope)
        problem = self.resolve_serializer(Problem, "response")
        operation["responses"]["default"] = {
            "description": "What went wrong.",
            "content": {"application/problem+json": {"schema": problem.ref}},
        }
        return operation
