"""Every address and every operation that there is."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import SchemaGenerator


@dataclass(frozen=True)
class Found:
    """A route of the URLconf. `parameters` in the order of the address."""

    name: str
    pattern: str
    parameters: tuple[str, ...]
    cell: str
    scopes: Mapping[str, str]

    def address(self, values: Mapping[str, Any]) -> str:
        """The address with these values for its parameters."""
        address = self.pattern
        for name in self.parameters:
            before, _bracket, after = re.split(rf"(<[^<>]*\b{name}>)", address, maxsplit=1)
            address = f"{before}{values[name]}{after}"
        return "/" + address


def routes() -> dict[str, Found]:
    """All of the house, by name ("portal:notice"); a route without a name goes by its address."""
    return {found.name: found for found in _found(get_resolver().url_patterns)}


def _found(entries: list[Any], prefix: str = "", space: str = "") -> Iterator[Found]:
    for entry in entries:
        pattern = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _found(entry.url_patterns, pattern, inner)
        elif isinstance(entry, URLPattern):
            view = entry.callback
            cell = getattr(view, "cell", "") or getattr(getattr(view, "model_admin", None), "cell", "") or ""
            scopes = getattr(getattr(view, "cls", None), "required_scope", {})
            # Older routes are regular expressions: their groups are not walked.
            parameters = tuple(re.findall(r"<(?:\w+:)?(\w+)>", pattern)) if "(?P" not in pattern else ()
            name = space + (entry.name or "")
            yield Found(name if entry.name else pattern, pattern, parameters, cell, scopes)


def operations() -> dict[str, tuple[str, str]]:
    """All that the description of the API names: operation -> (method, path)."""
    paths = SchemaGenerator().get_schema(request=None, public=True)["paths"]
    return {
        said["operationId"]: (method.upper(), path)
        for path, methods in paths.items()
        for method, said in methods.items()
    }
