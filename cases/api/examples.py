"""One call and one answer of each operation, for who reads the description. Every name in them is invented."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_AT: Final = "2026-11-24T12:00:00.000000Z"
_NOTICE: Final[dict[str, Any]] = {
    "reference": "N-4CPQ2Z7XKD",
    "state": "notified",
    "overdue": False,
    "url": "https://files.example/a/0001.jpg",
    "masked_url": "files.example/…01.jpg",
    "sent_at": "2026-11-24T11:59:58.000000Z",
    "notified_at": _AT,
    "due_at": "2026-11-25T12:00:00.000000Z",
    "acknowledged_at": None,
    "claimed_removed_at": None,
    "claim_answer": "",
    "disputed_at": None,
    "objection_rejected_at": None,
    "last_seen_online_at": "2026-11-24T11:40:10.000000Z",
    "gone_since": None,
    "removed_at": None,
    "escalated_at": None,
    "ip": "192.0.2.10",
    "customer_reference": "",
    "class": "baseline",
}


def _call(name: str, body: Any) -> OpenApiExample:
    return OpenApiExample(name, value=body, request_only=True)


def _answer(name: str, body: Any, status: int = 200) -> OpenApiExample:
    return OpenApiExample(name, value=body, response_only=True, status_codes=[str(status)])


#: The page around it is made by the description.
LIST: Final = [_answer("A notice whose term runs", _NOTICE)]
NOTICE: Final = [_answer("A notice whose term runs", _NOTICE)]
ANSWERS: Final = [
    _call(
        "A claim and a dispute",
        {
            "answers": [
                {
                    "reference": "N-4CPQ2Z7XKD",
                    "answer": "removed",
                    "at": "2026-11-24T13:30:00Z",
                    "note": "Ticket 7.",
                },
                {
                    "reference": "N-8XH0T5RBWM",
                    "answer": "dispute",
                    "reason": "The page was never on our network.",
                },
            ]
        },
    ),
    _answer(
        "One was recorded, one was not",
        {
            "results": [
                {"reference": "N-4CPQ2Z7XKD", "outcome": "recorded"},
                {"reference": "N-8XH0T5RBWM", "outcome": "refused", "reason": "There is no such notice."},
            ]
        },
    ),
]
_SIGNED: Final[dict[str, Any]] = {
    "receipt": "V-7JT9M2D4WA",
    "notice": "N-4CPQ2Z7XKD",
    "claimed_at": "2026-11-24T13:30:00.000000Z",
    "decided_at": "2026-11-24T13:30:09.000000Z",
    "verdict": "confirmed",
    "key_id": "2VQmMzHg0mUoQ9qUQxqvW3gk1x4u2m3oC4Y0r7hV5nE",
    "signed": "eyJhbGciOiJFZDI1NTE5In0.eyJ2ZXJkaWN0IjoiY29uZmlybWVkIn0.c2lnbmF0dXJl",
    "address_key": "0f" * 32,
}
#: The page around it is made by the description.
RECEIPTS: Final = [_answer("Our check no longer finds it", _SIGNED)]
RECEIPTS_OF_NOTICE: Final = [_answer("Our check no longer finds it", {"results": [_SIGNED]})]
_RECEIPT: Final = {
    "report": "R-6W1MZK9Q3D",
    "lines": [
        {"line": 1, "outcome": "new", "notice": "N-4CPQ2Z7XKD"},
        {
            "line": 2,
            "outcome": "rejected",
            "reason": "This is an FTP address; only http and https can be reported here.",
            "reason_code": "scheme_ftp",
        },
    ],
}
REPORT: Final = [
    _call(
        "Two lines",
        {
            "source": "partner",
            "reference": "P-2026-7",
            "received_at": "2026-11-24T09:00:00Z",
            "lines": [
                {"url": "https://files.example/a/0001.jpg", "referrer": "https://forum.example/t/12"},
                {"url": "ftp://files.example/b.jpg"},
            ],
        },
    ),
    _answer("One was taken, one was not", _RECEIPT, status=201),
]
RECEIPT: Final = [_answer("The receipt as it is now", _RECEIPT)]
CHECKS: Final = [
    _answer(
        "One look is due",
        {
            "checks": [
                {
                    "notice": "N-4CPQ2Z7XKD",
                    "url": "https://files.example/a/0001.jpg",
                    "lease_until": "2026-11-24T12:10:00.000000Z",
                }
            ]
        },
    )
]
SIGHTINGS: Final = [
    _call(
        "It is gone",
        {
            "sightings": [
                {
                    "notice": "N-4CPQ2Z7XKD",
                    "seen_at": "2026-11-24T12:01:05Z",
                    "outcome": "gone",
                    "http_status": 404,
                    "vantage": "nl-1",
                }
            ]
        },
    ),
    _answer("It was taken", {"results": [{"notice": "N-4CPQ2Z7XKD", "outcome": "recorded"}]}),
]
