"""A desk of mail is a row of trays, each with its tab: what lies in it, and what comes first."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import Promise


class Tray(NamedTuple):
    """One tab of the desk."""

    code: str
    name: str | Promise
    which: Q
    order: tuple[str, ...]


def chosen(request: HttpRequest, trays: Sequence[Tray]) -> Tray:
    """The tray that the address asks for; the first when it asks for none that exists."""
    return next((tray for tray in trays if tray.code == request.GET.get("tray")), trays[0])


def tabs(trays: Sequence[Tray], current: Tray) -> list[dict[str, Any]]:
    """For components/tabs.html."""
    return [
        {"name": tray.name, "href": f"?tray={tray.code}", "current": tray is current, "count": None}
        for tray in trays
    ]
