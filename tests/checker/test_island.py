"""The whole program among hostile servers that own the network: it comes nowhere inside, and keeps nothing."""

from pathlib import Path
from typing import Any

import pytest

from tests.island import ashore, network

#: What is seen of a hostile server that answers at all.
SAID = {
    "page": "online", "file": "online", "changed": "changed", "refused": "blocked", "robots": "blocked",
    "login": "blocked", "gone": "gone", "hinted": "gone", "bomb": "online", "endless": "online",
    "endless-head": "unknown", "many-heads": "unknown", "informed": "unknown", "continued": "unknown",
    "cut": "unknown", "babble": "unknown",
}  # fmt: skip


def assert_clean(found: dict[str, Any]) -> None:
    assert found["status"] == 0, found["log"]
    assert found["counts"], "listeners and packets: both count"
    assert found["connections"] == {}
    assert found["tries"] == {}
    assert len(found["outcomes"]) == found["asked"], "every check has its sighting"
    assert found["marked"] == []
    assert found["opened"] == []
    assert found["marker"] not in found["reported"] + found["log"]
    assert ".test" not in found["reported"] + found["log"]


def test_no_name_redirect_or_answer_brings_the_checker_inside_and_no_byte_of_a_body_stays(
    tmp_path: Path,
) -> None:
    found = ashore.run("checker", tmp_path)

    assert_clean(found)
    outcomes = found["outcomes"]
    bad = {name: outcomes[f"http://{name}.bad.test/page"] for name in SAID}
    assert bad == SAID
    assert {outcomes[f"http://leads{n}.bad.test/page"] for n in range(13)} == {"unknown"}
    assert {outcomes[f"http://both{n}.test/page"] for n in range(len(network.INSIDE))} == {"unknown"}


@pytest.mark.drill
def test_servers_that_keep_a_visitor_for_as_long_as_it_stays_change_nothing_of_that(tmp_path: Path) -> None:
    found = ashore.run("checker", tmp_path, "slow", within_s=180)

    assert_clean(found)
