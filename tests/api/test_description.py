"""The API describes itself: to machines in OpenAPI, to people on a page."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils.html import escape

from accounts.models import Scope
from cases.formats.event import TYPES
from takedown.api_docs import operations

SCHEMA, DOCS = "/api/v1/schema/", "/api/v1/docs/"


def described(client: Client) -> dict[str, Any]:
    """The description, as machines read it."""
    schema: dict[str, Any] = client.get(SCHEMA).json()
    return schema


def each_operation(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(method, operation)."""
    for methods in schema["paths"].values():
        yield from methods.items()


@pytest.mark.django_db
def test_the_description_names_every_route_the_scope_it_asks_for_and_what_may_go_wrong(
    client: Client,
) -> None:
    schema = described(client)

    routes = {route for route in get_resolver("takedown.api_urls").reverse_dict if isinstance(route, str)}
    assert len(schema["paths"]) == len(routes - {"api_schema", "api_docs"})
    for method, operation in each_operation(schema):
        assert operation["x-scope"] in set(Scope)
        assert operation["security"] == [{"key": []}]
        problems = {status: answer for status, answer in operation["responses"].items() if status[0] != "2"}
        assert {"400", "401", "403", "406", "429", "503"} <= problems.keys()
        assert ({"409", "413", "415", "422"} <= problems.keys()) == (method == "post")
        for status, answer in problems.items():
            assert list(answer["content"]) == ["application/problem+json"]
            assert ("Retry-After" in answer.get("headers", {})) == (status in {"409", "429", "503"})


@pytest.mark.django_db
def test_everything_in_the_description_is_explained_and_shown(client: Client) -> None:
    schema = described(client)

    about = {tag["name"] for tag in schema["tags"]}
    for method, operation in each_operation(schema):
        assert set(operation["tags"]) <= about
        assert operation["summary"]
        assert operation["description"]
        (done,) = [answer for status, answer in operation["responses"].items() if status[0] == "2"]
        assert done["content"]["application/json"]["examples"]
        assert method == "get" or operation["requestBody"]["content"]["application/json"]["examples"]
        for parameter in operation.get("parameters", []):
            assert "description" in parameter or parameter["in"] == "path", parameter["name"]
    for name, component in schema["components"]["schemas"].items():
        assert "enum" in component or "description" in component or name.startswith("Paginated"), name
        for field, kind in component.get("properties", {}).items():
            assert "description" in kind or "array" in kind.values(), (name, field)
        if name.endswith("Request"):
            assert component["additionalProperties"] is False


@pytest.mark.django_db
def test_every_example_is_as_the_description_says(client: Client) -> None:
    schema = described(client)
    reader = OpenAPI3Reader(schema)

    shown = 0
    for _method, operation in each_operation(schema):
        for body in (operation.get("requestBody", {}), *operation["responses"].values()):
            for content in body.get("content", {}).values():
                for example in content.get("examples", {}).values():
                    reader.read(content["schema"], example["value"])
                    shown += 1
    assert shown >= 10


class OpenAPI3Reader:
    """JSON Schema in the dialect of OpenAPI 3.0: `nullable` stands for a type beside null."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = self._in_plain_json_schema(schema)

    def read(self, shape: dict[str, Any], value: Any) -> None:
        """Raises ValidationError."""
        root = {**self._in_plain_json_schema(shape), "components": self._schema["components"]}
        jsonschema.Draft202012Validator(
            root, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        ).validate(value)

    def _in_plain_json_schema(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._in_plain_json_schema(each) for each in node]
        if not isinstance(node, dict):
            return node
        plain = {name: self._in_plain_json_schema(each) for name, each in node.items() if name != "nullable"}
        return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain


@pytest.mark.django_db
def test_the_description_is_json_or_yaml_and_a_problem_with_it_always_json(client: Client) -> None:
    yaml = client.get(SCHEMA, headers={"Accept": "application/vnd.oai.openapi"})
    wrong = client.post(SCHEMA, headers={"Accept": "application/vnd.oai.openapi"})

    assert client.get(SCHEMA, headers={"Accept": "*/*"}).json()["openapi"].startswith("3.")
    assert yaml.content.startswith(b"openapi: 3.")
    assert (wrong.status_code, wrong["Content-Type"]) == (405, "application/problem+json")
    assert wrong.json()["code"] == "method_not_allowed"


@pytest.mark.django_db
def test_the_page_explains_every_operation_without_a_script_of_its_own(client: Client) -> None:
    answer = client.get(DOCS)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert operations()
    for operation in operations():
        assert f"{operation.method} {operation.path}" in text
        assert operation.title in text
        assert operation.answers
        assert escape(operation.example_answer) in text
        assert escape(operation.example_call) in text
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", text)


@pytest.mark.django_db
def test_the_page_names_every_webhook_that_a_provider_may_get(client: Client) -> None:
    text = client.get(DOCS).content.decode()

    assert '<section id="webhooks"' in text
    for name in [*TYPES.values(), "endpoint.test"]:
        assert f"<dt><code>{name}</code></dt>" in text


def test_fields_are_explained_with_their_kinds() -> None:
    (report,) = [each for each in operations() if (each.method, each.path) == ("POST", "/api/v1/reports/")]

    assert [(field.name, field.depth) for field in report.asks][:2] == [("source", 0), ("reference", 0)]
    assert ("url", "string", True, 1) in [(f.name, f.kind, f.is_required, f.depth) for f in report.asks]
    assert ("lines", "list of object") in [(f.name, f.kind) for f in report.answers]
    assert ("outcome", "new | duplicate | reappeared | rejected | quarantined") in [
        (f.name, f.kind) for f in report.answers
    ]
