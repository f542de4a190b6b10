"""The API describes itself: to machines in OpenAPI, to people on a page."""

import re

import pytest
from django.test import Client
from django.urls import get_resolver

from accounts.models import Scope
from cases.formats.event import TYPES
from takedown.api_docs import operations

SCHEMA, DOCS = "/api/v1/schema/", "/api/v1/docs/"


@pytest.mark.django_db
def test_the_description_names_every_route_and_the_scope_it_asks_for(client: Client) -> None:
    paths = client.get(SCHEMA, {"format": "json"}).json()["paths"]

    routes = {route for route in get_resolver("takedown.api_urls").reverse_dict if isinstance(route, str)}
    assert len(paths) == len(routes - {"api_schema", "api_docs"})
    for methods in paths.values():
        for operation in methods.values():
            assert operation["x-scope"] in set(Scope)
            assert operation["security"] == [{"key": []}]
            assert "application/problem+json" in operation["responses"]["default"]["content"]


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
