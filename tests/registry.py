"""A registry's server on loopback that speaks RDAP (RFC 9083), and what it says."""

import json
from typing import Any

from tests.hostile import Behaviour, Site, says

HOLDER = "ORG-BETA1-TEST"


def network(**other: Any) -> dict[str, Any]:
    """203.0.113.0/24, of Beta Hosting: an object in the form and with the by-work of a real registry's answer."""
    return {
        "rdapConformance": ["nro_rdap_profile_0", "cidr0", "rdap_level_0"],
        "notices": [{"title": "Terms", "description": ["This is the test registry."]}],
        "objectClassName": "ip network",
        "handle": "203.0.113.0 - 203.0.113.255",
        "startAddress": "203.0.113.0",
        "endAddress": "203.0.113.255",
        "ipVersion": "v4",
        "cidr0_cidrs": [{"v4prefix": "203.0.113.0", "length": 24}],
        "name": "BETA-NET",
        "type": "ASSIGNED PA",
        "country": "NL",
        "entities": [
            entity("BETA-MNT", "registrant", fn="BETA-MNT", kind="individual"),
            entity(
                HOLDER,
                "registrant",
                fn="Beta Hosting B.V.",
                kind="org",
                entities=[entity("AR1-TEST", "abuse", fn="Beta abuse", email="Abuse@beta.example")],
            ),
        ],
        "status": ["active"],
    } | other


def entity(
    handle: str, role: str, *, fn: str, kind: str = "group", email: str = "", entities: Any = ()
) -> dict[str, Any]:
    """A contact of a network, with its jCard."""
    card = [["version", {}, "text", "4.0"], ["fn", {}, "text", fn], ["kind", {}, "text", kind]]
    if email:
        card.append(["email", {"type": "abuse"}, "text", email])
    return {
        "objectClassName": "entity",
        "handle": handle,
        "roles": [role],
        "vcardArray": ["vcard", card],
        "entities": list(entities),
    }


def tells(said: Any = None) -> Behaviour:
    """Answers with an object."""
    body = json.dumps(network() if said is None else said).encode()
    return says(200, body, Content_Type="application/rdap+json")


class Registry(Site):
    """Knows one network and says of all else that it knows nothing."""

    def __init__(self, said: Behaviour | None = None, *, address: str = "203.0.113.9") -> None:
        super().__init__({f"/ip/{address}": said or tells()})
        self.otherwise = says(404, b'{"errorCode": 404}', Content_Type="application/rdap+json")

    @property
    def base(self) -> str:
        """What RDAP is set to."""
        return f"http://127.0.0.1:{self.port}/"
