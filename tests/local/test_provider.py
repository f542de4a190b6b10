"""Alfa Hosting: answers live notices and leaves the others alone."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local.demo import provider


class Api(provider.Api):
    """Our API as far as Alfa sees it, with what it was told."""

    def __init__(self, *notices: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:1", "key")
        self.notices = notices
        self.told: list[tuple[str, str]] = []

    def open_notices(self) -> Iterator[dict[str, Any]]:
        yield from self.notices

    def notice(self, reference: str) -> dict[str, Any]:
        return {"reference": reference, "url": f"http://{reference}.live.example/"}

    def answer(self, reference: str, answer: str) -> None:
        self.told.append((reference, answer))


def notice(reference: str, url: str | None, **more: str) -> dict[str, Any]:
    return {"reference": reference, "url": url, "acknowledged_at": None, "claimed_removed_at": None, **more}


@pytest.fixture
def taken_down(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    pages: list[str] = []
    monkeypatch.setattr(provider, "take_down", lambda port, url: pages.append(url))
    return pages


def test_a_live_notice_is_acknowledged_at_once_and_removed_later(taken_down: list[str]) -> None:
    api = Api(notice("n1", "http://one.live.example/page"), notice("n2", "http://one.example/page"))
    alfa = provider.Provider(api, site_port=1, remove_after_s=5)

    alfa.read_notices(now_s=100)
    alfa.remove_pages(now_s=104.9)
    alfa.read_notices(now_s=104.9)
    assert (api.told, taken_down) == ([("n1", "acknowledged")], [])

    alfa.remove_pages(now_s=105)
    assert taken_down == ["http://one.live.example/page"]
    assert api.told == [("n1", "acknowledged"), ("n1", "removed")]


def test_a_notice_whose_url_is_not_shown_is_fetched(taken_down: list[str]) -> None:
    api = Api(notice("n3", None, acknowledged_at="2026-11-01T12:00:00Z"))
    alfa = provider.Provider(api, site_port=1, remove_after_s=0)

    alfa.read_notices(now_s=100)
    alfa.remove_pages(now_s=100)

    assert (api.told, taken_down) == ([("n3", "removed")], ["http://n3.live.example/"])


def test_an_answered_notice_is_not_answered_again(taken_down: list[str]) -> None:
    api = Api(notice("n4", "http://one.live.example/", claimed_removed_at="2026-11-01T12:00:00Z"))
    provider.Provider(api, site_port=1, remove_after_s=0).read_notices(now_s=100)
    assert api.told == []


def test_a_failed_step_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(port: int, url: str) -> None:
        raise provider.Unavailable("the site answered 500")

    api = Api(notice("n5", "http://one.live.example/"))
    alfa = provider.Provider(api, site_port=1, remove_after_s=0)
    alfa.read_notices(now_s=100)
    monkeypatch.setattr(provider, "take_down", refuse)
    with pytest.raises(provider.Unavailable):
        alfa.remove_pages(now_s=100)
    monkeypatch.setattr(provider, "take_down", lambda port, url: None)

    alfa.remove_pages(now_s=101)

    assert api.told == [("n5", "acknowledged"), ("n5", "removed")]


def test_mail_to_others_and_half_a_line_wake_nobody(tmp_path: Path) -> None:
    index = tmp_path / "index.jsonl"
    mailbox = provider.Mailbox(index)
    assert not mailbox.has_new()
    index.write_text(json.dumps({"rcpt": ["abuse@bravo.test"]}) + "\n")
    assert not mailbox.has_new()

    line = json.dumps({"rcpt": [provider.MAILBOX]})
    with index.open("a") as file:
        file.write(line[:10])
    assert not mailbox.has_new()
    with index.open("a") as file:
        file.write(line[10:] + "\n")
    assert mailbox.has_new()
    assert not mailbox.has_new()
