"""The public's browser: it speaks English and has filled nothing in yet."""

import re
from typing import Any, Protocol

import pytest
from django.test import Client

REPORT = "/report/"
FOLLOW = "/report/follow/"


class Send(Protocol):
    """`send(addresses="...")`: fill the form in as it is shown, and send it."""

    def __call__(self, **fields: Any) -> Any: ...


@pytest.fixture
def visitor() -> Client:
    """Somebody without account. Sends no CSRF token."""
    return Client(headers={"accept-language": "en"})


@pytest.fixture
def send(visitor: Client) -> Send:
    def fill_in(**fields: Any) -> Any:
        token = re.search(r'name="token" value="([^"]+)"', visitor.get(REPORT).text)
        assert token
        return visitor.post(REPORT, {"token": token[1], "contact": "anonymous", **fields})

    return fill_in


def ticket(page: Any) -> dict[str, str]:
    """Number and code of a receipt, as a person copies them."""
    return {"number": page.context["reference"], "code": page.context["code"]}
