"""The registry of the demo world's networks: what the site program answers by RDAP (RFC 9083) at /rdap/ip/ADDRESS.

It knows the networks of `networks.csv`, and one whose holder is no provider yet.
"""

import csv
import json
from http import HTTPStatus
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from local.demo.plain_http import Response

_HERE = Path(__file__).resolve().parent
_NEW = {"prefix": "2001:db8:99::/48", "provider": "golf", "country": "NL", "name": "GOLF-NET"}
_TYPE = "application/rdap+json"


def answer(address: str) -> Response:
    """The most specific network of an address, or 404."""
    try:
        asked = ip_address(address)
    except ValueError:
        return Response(HTTPStatus.BAD_REQUEST, '{"errorCode": 400}', _TYPE)
    holding = [row for row in _networks() if asked in ip_network(row["prefix"])]
    if not holding:
        return Response(HTTPStatus.NOT_FOUND, '{"errorCode": 404}', _TYPE)
    found = max(holding, key=lambda row: ip_network(row["prefix"]).prefixlen)
    return Response(HTTPStatus.OK, json.dumps(_said(found)), _TYPE)


def _networks() -> list[dict[str, str]]:
    with (_HERE / "networks.csv").open(encoding="utf-8", newline="") as lines:
        return [*csv.DictReader(lines, delimiter=";"), _NEW]


def _said(row: dict[str, str]) -> dict[str, Any]:
    prefix, code = ip_network(row["prefix"]), row["provider"]
    return {
        "objectClassName": "ip network",
        "rdapConformance": ["rdap_level_0"],
        "handle": str(prefix),
        "startAddress": str(prefix[0]),
        "endAddress": str(prefix[-1]),
        "ipVersion": f"v{prefix.version}",
        "name": row["name"],
        "country": row["country"],
        "entities": [
            _entity(f"ORG-{code.upper()}-DEMO", "registrant", f"{code.title()} (demo)", "org"),
            _entity(f"AR-{code.upper()}-DEMO", "abuse", "Abuse desk", "group", f"abuse-desk@{code}.test"),
        ],
    }


def _entity(handle: str, role: str, name: str, kind: str, mailbox: str = "") -> dict[str, Any]:
    card: list[Any] = [["version", {}, "text", "4.0"], ["fn", {}, "text", name], ["kind", {}, "text", kind]]
    card += [["email", {}, "text", mailbox]] if mailbox else []
    return {"objectClassName": "entity", "handle": handle, "roles": [role], "vcardArray": ["vcard", card]}
