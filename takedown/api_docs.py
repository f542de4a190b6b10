"""The description of the API: as OpenAPI for machines, and as a page for people that is made from it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from operator import itemgetter
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiYamlRenderer
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

METHODS: Final = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Field:
    """A field of a body or a parameter. `depth` is how many objects it stands in."""

    name: str
    kind: str
    is_required: bool
    says: SafeString
    depth: int


@dataclass(frozen=True)
class Operation:
    """One thing that a machine can do."""

    method: str
    path: str
    title: str
    says: SafeString
    scope: str
    parameters: list[Field] = field(default_factory=list)
    asks: list[Field] = field(default_factory=list)
    answers: list[Field] = field(default_factory=list)
    status: str = ""
    problems: list[tuple[str, SafeString]] = field(default_factory=list)
    #: JSON, indented; "" where there is none.
    example_call: str = ""
    example_answer: str = ""


class Description(APIView):
    """OpenAPI 3, to whoever asks: JSON, or YAML for who accepts only that."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    renderer_classes = (OpenApiJsonRenderer, OpenApiYamlRenderer)
    http_method_names = ["get", "head"]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """The description."""
        return Response(description())

    def handle_exception(self, exc: Exception) -> Response:
        """A problem is JSON, whatever was asked for."""
        self.request.accepted_renderer, self.request.accepted_media_type = JSONRenderer(), "application/json"
        return super().handle_exception(exc)


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """The API in words."""
    return render(request, "public/api.html", {"operations": operations(), "client": client()})


@cache
def client() -> str:
    """A whole client for a provider, to copy."""
    return (settings.BASE_DIR / "docs" / "client.py").read_text(encoding="utf-8")


@cache
def description() -> dict[str, Any]:
    """OpenAPI, in English like the names in it."""
    with translation.override("en"):
        schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@cache
def operations() -> list[Operation]:
    """All operations, in the order of what they are about: what providers need comes first."""
    schema = description()
    components = schema["components"]["schemas"]
    places = {tag["name"]: place for place, tag in enumerate(schema["tags"])}
    told = [
        (places.get(description["tags"][0], len(places)), _operation(path, method, description, components))
        for path, methods in schema["paths"].items()
        for method, description in methods.items()
        if method in METHODS and "x-scope" in description
    ]
    return [operation for _place, operation in sorted(told, key=itemgetter(0))]


def _operation(path: str, method: str, description: dict[str, Any], components: dict[str, Any]) -> Operation:
    status, answer = next(
        (code, answer) for code, answer in description["responses"].items() if code.startswith("2")
    )
    return Operation(
        method=method.upper(),
        path=path,
        title=description.get("summary") or description["operationId"],
        says=_marked(description.get("description", "")),
        scope=description["x-scope"],
        parameters=[_parameter(each, components) for each in description.get("parameters", [])],
        asks=list(_fields(_body(description.get("requestBody", {})), components)),
        answers=list(_fields(_body(answer), components)),
        status=status,
        problems=[
            (code, _marked(problem["description"]))
            for code, problem in description["responses"].items()
            if not code.startswith("2")
        ],
        example_call=_example(description.get("requestBody", {})),
        example_answer=_example(answer),
    )


def _marked(text: str) -> SafeString:
    """Markdown's `code` as HTML; nothing else of it is used."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", x) if n % 2 else x,) for n, x in parts)
    )


def _json(content: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = content.get("content", {}).get("application/json", {})
    return found


def _body(content: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = _json(content).get("schema", {})
    return schema


def _example(content: dict[str, Any]) -> str:
    for example in _json(content).get("examples", {}).values():
        return json.dumps(example["value"], indent=2, ensure_ascii=False)
    return ""


def _parameter(parameter: dict[str, Any], components: dict[str, Any]) -> Field:
    return Field(
        name=parameter["name"],
        kind=f"{parameter['in']}, {_kind(parameter['schema'], components)}",
        is_required=parameter.get("required", False),
        says=_marked(parameter.get("description", "")),
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
        says = _marked(inner.get("description") or "")
        yield Field(name, _kind(inner, components), name in required, says, depth)
        yield from _fields(inner, components, depth + 1)


def _kind(schema: dict[str, Any], components: dict[str, Any]) -> str:
    schema = _resolved(schema, components)
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'], components)}"
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"] if value not in ("", None))
    kind = {"date-time": "instant"}.get(schema.get("format", "")) or str(schema.get("type", "object"))
    kind += _limits(schema)
    return f"{kind} or null" if schema.get("nullable") else kind


def _limits(schema: dict[str, Any]) -> str:
    if "maximum" in schema:
        return f" of {schema['minimum']:,} to {schema['maximum']:,}"
    return f" of at most {schema['maxLength']:,} characters" if "maxLength" in schema else ""


def _resolved(schema: dict[str, Any], components: dict[str, Any]) -> dict[str, Any]:
    """The schema behind a reference; what stands beside the reference (nullable, ...) counts too."""
    for other in (schema, *schema.get("allOf", []), *schema.get("oneOf", [])[:1]):
        if "$ref" in other:
            target: dict[str, Any] = components[other["$ref"].rpartition("/")[2]]
            beside = {name: value for name, value in schema.items() if name not in {"$ref", "allOf", "oneOf"}}
            return target | beside
    return schema
