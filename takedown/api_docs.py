"""The page that explains the API to people, made from the same description that machines read."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator

METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """A field of a body or a parameter. `depth` is how many objects it stands in."""

    name: str
    kind: str
    is_required: bool
    says: str
    depth: int


@dataclass(frozen=True)
class Operation:
    """One thing that a machine can do."""

    method: str
    path: str
    title: str
    says: str
    scope: str
    parameters: list[Field] = field(default_factory=list)
    asks: list[Field] = field(default_factory=list)
    answers: list[Field] = field(default_factory=list)
    status: str = ""


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The API in words, made from the same description that machines read."""
    return render(request, "public/api.html", {"operations": operations()})


@cache
def operations() -> list[Operation]:
    """All operations in the order of their paths."""
    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    components = schema["components"]["schemas"]
    return [
        _operation(path, method, description, components)
        for path, methods in schema["paths"].items()
        for method, description in methods.items()
        if method in METHODS and "x-scope" in description
    ]


def _operation(path: str, method: str, description: dict[str, Any], components: dict[str, Any]) -> Operation:
    status, answer = next(
        (code, answer) for code, answer in description["responses"].items() if code.startswith("2")
    )
    return Operation(
        method=method.upper(),
        path=path,
        title=description.get("summary") or description["operationId"],
        says=description.get("description", ""),
        scope=description["x-scope"],
        parameters=[_parameter(each, components) for each in description.get("parameters", [])],
        asks=list(_fields(_body(description.get("requestBody", {})), components)),
        answers=list(_fields(_body(answer), components)),
        status=status,
    )


def _body(content: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = content.get("content", {}).get("application/json", {}).get("schema", {})
    return schema


def _parameter(parameter: dict[str, Any], components: dict[str, Any]) -> Field:
    return Field(
        name=parameter["name"],
        kind=f"{parameter['in']}, {_kind(parameter['schema'], components)}",
        is_required=parameter.get("required", False),
        says=parameter.get("description", ""),
        depth=0,
    )


def _fields(schema: dict[str, Any], components: dict[str, Any], depth: int = 0) -> Iterator[Field]:
    """The fields of an object and of the objects in it, each followed by what stands in it."""
    schema = _resolved(schema, components)
    if schema.get("type") == "array":
        yield from _fields(schema["items"], components, depth)
        return
    required = schema.get("required", [])
    for name, inner in schema.get("properties", {}).items():
        says = inner.get("description") or ""
        yield Field(name, _kind(inner, components), name in required, says, depth)
        yield from _fields(inner, components, depth + 1)


def _kind(schema: dict[str, Any], components: dict[str, Any]) -> str:
    schema = _resolved(schema, components)
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'], components)}"
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value not in ("", None))
    kind = {"date-time": "instant"}.get(schema.get("format", "")) or str(schema.get("type", "object"))
    return f"{kind} or null" if schema.get("nullable") else kind


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference; what stands beside the reference (nullable, ...) counts too."""
    for other in (schema, *schema.get("allOf", []), *schema.get("oneOf", [])[:1]):
        if "$ref" in other:
            target: dict[str, Any] = components[other["$ref"].rpartition("/")[2]]
            beside = {name: value for name, value in schema.items() if name not in {"$ref", "allOf", "oneOf"}}
            return target | beside
    return schema
