"""Lease, look, report: with an API that is there, one that is not, and one that comes back."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from checker.client import ApiDown, Client, KeyRefused
from checker.exits import Direct, tls_context
from checker.guard import Guard
from checker.look import Finding, Looker
from checker.politeness import Politeness
from checker.rounds import Rounds
from tests.checker.api import KEY, Api
from tests.hostile import Site, drips, says


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as api:
        yield api


@pytest.fixture
def site() -> Iterator[Site]:
    with Site({"/there": says(200, b"there")}) as site:
        yield site


def rounds(
    api: Api,
    *,
    once: bool = True,
    key: str = KEY,
    stop: threading.Event | None = None,
    looker: Looker | None = None,
    limit: int = 100,
) -> Rounds:
    guard = Guard(lambda _: ["127.0.0.1"], lambda _: True)
    return Rounds(
        Client(api.url, key, timeout_s=1),
        looker or Looker(Direct(guard, tls_context()), total_s=1),
        stop or threading.Event(),
        vantage="here",
        limit=limit,
        every_s=0.05,
        once=once,
        politeness=Politeness(pause_s=0),
        back_off_s=(0.02,),
    )


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 3
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    assert condition()


def test_what_is_due_is_looked_at_and_reported_once(api: Api, site: Site) -> None:
    api.expects("N-1", site.url("/there"))
    api.expects("N-2", site.url("/not-there"))
    before = datetime.now(UTC)

    rounds(api).run()

    [batch] = api.batches.values()
    assert api.outcomes() == {"N-1": "online", "N-2": "gone"}
    for sighting in batch:
        assert sighting.keys() <= {"notice", "seen_at", "outcome", "http_status", "digest", "vantage", "note"}
        assert sighting["vantage"] == "here"
        assert sighting["seen_at"][-13:-6].startswith(".")  # microseconds
        assert before <= datetime.fromisoformat(sighting["seen_at"]) <= datetime.now(UTC)


def test_with_nothing_due_a_single_round_ends_and_reports_nothing(api: Api) -> None:
    rounds(api).run()

    assert api.batches == {}


def test_more_than_the_looking_threads_hold_is_looked_at_in_turn(api: Api, site: Site) -> None:
    for number in range(40):
        api.expects(f"N-{number}", site.url("/there", host=f"site{number}.test"))

    rounds(api).run()

    assert len(api.outcomes()) == 40


def test_sightings_wait_in_memory_while_the_api_is_down_and_arrive_when_it_is_back(
    api: Api, site: Site
) -> None:
    stop = threading.Event()

    class LastLook(Looker):
        def look(self, url: str, expect_digest: str | None = None) -> Finding:
            api.is_down = True  # it goes down while we look
            return super().look(url, expect_digest)

    looker = LastLook(Direct(Guard(lambda _: ["127.0.0.1"], lambda _: True), tls_context()))
    api.expects("N-1", site.url("/there"))
    thread = threading.Thread(target=rounds(api, once=False, stop=stop, looker=looker).run)
    thread.start()
    wait_for(lambda: api.down_tries >= 3)
    assert api.batches == {}

    api.is_down = False
    wait_for(lambda: api.outcomes() == {"N-1": "online"})
    stop.set()
    thread.join(2)

    assert not thread.is_alive()


def test_what_cannot_be_reported_keeps_it_from_taking_more_than_it_may_hold(api: Api, site: Site) -> None:
    for number in range(9):
        api.expects(f"N-{number}", site.url("/there", host=f"h{number}.test"))
    api.takes_reports = False
    stop = threading.Event()
    thread = threading.Thread(target=rounds(api, once=False, stop=stop, limit=3).run)
    thread.start()
    wait_for(lambda: len(api.tries) > 9)

    assert 6 <= len(api.due) < 9, "it holds three at most, seen or not"
    came_back = datetime.now(UTC)
    api.takes_reports = True
    wait_for(lambda: len(api.outcomes()) == 9)
    stop.set()
    thread.join(2)

    first = api.batches[api.tries[0]]
    assert all(datetime.fromisoformat(each["seen_at"]) <= came_back for each in first), (
        "each with its own time"
    )
    assert not any(".test" in str(each) for each in first)
    assert {asked["vantage"] for asked in api.asked_for} == {"here"}


def test_a_report_whose_answer_is_lost_comes_again_with_the_same_key(api: Api, site: Site) -> None:
    api.loses_answers = 2
    api.expects("N-1", site.url("/there"))

    rounds(api).run()

    assert len(api.tries) == 3
    assert len(set(api.tries)) == 1
    assert len(api.batches) == 1


def test_a_sighting_that_the_api_cannot_take_does_not_hold_up_the_others(api: Api, site: Site) -> None:
    for number in range(7):
        api.expects(f"N-{number}", site.url("/there", host=f"site{number}.test"))
    api.refuses = {"N-3"}

    rounds(api).run()

    assert api.outcomes().keys() == {f"N-{number}" for number in range(7) if number != 3}


def test_a_single_round_gives_up_when_the_api_stays_away(api: Api) -> None:
    api.is_down = True

    with pytest.raises(ApiDown):
        rounds(api).run()
    assert api.down_tries == 4


def test_a_refused_key_ends_the_work(api: Api) -> None:
    with pytest.raises(KeyRefused):
        rounds(api, key="another").run()


def test_nobody_looks_with_a_wrong_clock(api: Api, site: Site) -> None:
    api.clock_off = timedelta(minutes=-5)
    api.expects("N-1", site.url("/there"))

    with pytest.raises(ApiDown, match="clock"):
        rounds(api).run()
    assert site.connections == 0


def test_a_check_whose_lease_is_over_is_left_to_whoever_leases_it_next(api: Api, site: Site) -> None:
    api.expects("N-1", site.url("/there"), lease=timedelta(seconds=-1))

    rounds(api).run()

    assert site.connections == 0
    assert api.batches == {}


def test_checks_of_another_shape_are_left_out_and_the_others_done(api: Api, site: Site) -> None:
    api.expects("N-1", site.url("/there"))
    sound = api.due[0]
    api.due += [
        {**sound, "notice": "N-2\nN-3: forged"},
        {**sound, "notice": None},
        {**sound, "url": 5},
        {**sound, "lease_until": "2026-01-01T00:00:00"},
        {**sound, "lease_until": None},
        {"notice": "N-4"},
    ]

    rounds(api).run()

    assert api.outcomes() == {"N-1": "online"}


def test_a_fault_of_the_checker_is_unknown_and_its_text_stays_unsaid(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Looker):
        def look(self, url: str, expect_digest: str | None = None) -> Finding:
            raise RuntimeError(f"cannot look at {url}")

    api.expects("N-1", "http://site.test/a-page")

    rounds(api, looker=Broken(Direct(Guard(), tls_context()))).run()

    assert api.outcomes() == {"N-1": "unknown"}
    assert "a-page" not in caplog.text
    assert "a-page" not in str(api.batches)


def test_stopping_does_not_wait_for_a_look_and_reports_what_is_known(
    api: Api, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    site.behaviours["/slow"] = drips(b"", b"H")
    api.expects("N-1", site.url("/slow"))
    api.expects("N-2", site.url("/there", host="other.test"))
    stop = threading.Event()
    looker = Looker(Direct(Guard(lambda _: ["127.0.0.1"], lambda _: True), tls_context()), total_s=5)
    thread = threading.Thread(target=rounds(api, once=False, stop=stop, looker=looker).run)
    thread.start()
    wait_for(lambda: "N-2: online" in caplog.text)

    start = time.monotonic()
    stop.set()
    thread.join(2)

    assert time.monotonic() - start < 1.5
    assert api.outcomes() == {"N-2": "online"}
