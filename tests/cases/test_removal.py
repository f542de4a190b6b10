"""When material is gone: a run of looks, never silence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.removal import RemovalRule, Schedule, gone_since, next_check_at
from tests.factories import NOON

RULE = RemovalRule(run=3, gap=timedelta(minutes=3), span=timedelta(minutes=10))
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TICK = timedelta(microseconds=1)
SCHEDULE = Schedule(
    stages=[(72 * HOUR, HOUR), (14 * DAY, 4 * HOUR), (90 * DAY, DAY)],
    watch=[1 * DAY, 3 * DAY, 7 * DAY, 30 * DAY],
    before_due=30 * MINUTE,
)


@dataclass(frozen=True)
class Look:
    """A sighting, as far as the rule cares."""

    seen_at: datetime
    outcome: str


def looks(*said: tuple[float, str]) -> list[Look]:
    """(minutes after noon, outcome) as looks."""
    return [Look(NOON + minutes * MINUTE, outcome) for minutes, outcome in said]


@pytest.mark.parametrize(
    ("said", "since"),
    [
        ([], None),
        ([(0, "gone")], None),
        ([(0, "gone"), (5, "gone")], None),
        ([(0, "gone"), (5, "gone"), (10, "gone")], 0),
        ([(0, "gone"), (5, "changed"), (10, "gone")], 0),
        ([(0, "gone"), (5, "gone"), (9.99, "gone")], None),
        ([(0, "gone"), (5, "gone"), (9.99, "gone"), (13, "gone")], 0),
        ([(0, "gone"), (2.99, "gone"), (10, "gone")], None),
        ([(0, "gone"), (3, "gone"), (6, "gone"), (9, "gone"), (12, "gone")], 0),
        ([(0, "gone"), (5, "unknown"), (10, "blocked"), (15, "gone"), (20, "gone")], 0),
        ([(0, "unknown"), (5, "unknown"), (10, "unknown"), (15, "blocked")], None),
        ([(0, "gone"), (5, "gone"), (6, "online"), (10, "gone")], None),
        ([(0, "gone"), (5, "online"), (10, "gone"), (15, "gone"), (20, "gone")], 10),
        ([(0, "gone"), (5, "gone"), (10, "gone"), (60, "online")], None),
        ([(0, "gone"), (5, "gone"), (10, "gone"), (60, "online"), (70, "gone")], None),
        ([(0, "online"), (1, "gone"), (6, "gone"), (11, "gone"), (500, "gone")], 1),
        ([(0, "gone"), (0, "gone"), (0, "gone"), (10, "gone")], None),
    ],
)
def test_the_run_that_proves_a_removal(said: Sequence[tuple[float, str]], since: float | None) -> None:
    expected = None if since is None else NOON + since * MINUTE

    assert gone_since(looks(*said), RULE) == expected


def test_looks_out_of_order_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(ValueError, match="order"):
        gone_since(looks((5, "gone"), (0, "gone")), RULE)


OUTCOMES = st.sampled_from(["online", "gone", "changed", "blocked", "unknown"])
SERIES = st.lists(st.tuples(st.integers(0, 10_000), OUTCOMES), max_size=30).map(
    lambda pairs: [Look(NOON + second * timedelta(seconds=1), outcome) for second, outcome in sorted(pairs)]
)


def plainly(series: Sequence[Look], rule: RemovalRule) -> datetime | None:
    """The rule read aloud: after the last online look, count greedily from the first that says gone."""
    last_online = max((i for i, look in enumerate(series) if look.outcome == "online"), default=-1)
    telling = [look.seen_at for look in series[last_online + 1 :] if look.outcome in {"gone", "changed"}]
    run: list[datetime] = []
    for seen_at in telling:
        if not run or seen_at - run[-1] >= rule.gap:
            run.append(seen_at)
        if len(run) >= rule.run and run[-1] - run[0] >= rule.span:
            return run[0]
    return None


@given(SERIES)
def test_it_is_what_the_rule_says_in_plain_words(series: list[Look]) -> None:
    assert gone_since(series, RULE) == plainly(series, RULE)


@given(SERIES)
def test_silence_proves_nothing_and_disproves_nothing(series: list[Look]) -> None:
    telling = [look for look in series if look.outcome not in {"unknown", "blocked"}]

    assert gone_since(series, RULE) == gone_since(telling, RULE)


@given(SERIES)
def test_seeing_it_online_last_leaves_nothing_proven(series: list[Look]) -> None:
    at = series[-1].seen_at if series else NOON

    assert gone_since([*series, Look(at, "online")], RULE) is None


@given(SERIES, st.integers(0, 30))
def test_more_looks_that_say_gone_never_unprove_it(series: list[Look], more: int) -> None:
    since = gone_since(series, RULE)
    at = series[-1].seen_at if series else NOON
    longer = [*series, *(Look(at + i * MINUTE, "gone") for i in range(more))]

    assert since is None or gone_since(longer, RULE) == since


# -- when to look again ---------------------------------------------------------------------------------


def look_after(
    now: datetime, *, removed_at: datetime | None = None, in_doubt: bool = False, term: timedelta = DAY
) -> datetime | None:
    return next_check_at(
        now=now,
        notified_at=NOON,
        due_at=NOON + term,
        removed_at=removed_at,
        in_doubt=in_doubt,
        rule=RULE,
        schedule=SCHEDULE,
    )


@pytest.mark.parametrize(
    ("age", "pause"),
    [
        (timedelta(0), HOUR),
        (30 * HOUR, HOUR),
        (72 * HOUR - TICK, HOUR),
        (72 * HOUR, 4 * HOUR),
        (14 * DAY - TICK, 4 * HOUR),
        (14 * DAY, DAY),
        (90 * DAY - TICK, DAY),
        (90 * DAY, None),
    ],
)
def test_looks_thin_out_with_age_and_end(age: timedelta, pause: timedelta | None) -> None:
    expected = None if pause is None else NOON + age + pause

    assert look_after(NOON + age) == expected


def test_somebody_looks_in_the_last_half_hour_before_the_term_ends() -> None:
    at: datetime | None = NOON + 10 * MINUTE
    seen = []
    while at is not None and at <= NOON + 26 * HOUR:
        seen.append(at)
        at = look_after(at)

    assert [look for look in seen if NOON + DAY - 30 * MINUTE <= look < NOON + DAY] == [
        NOON + DAY - 15 * MINUTE
    ]
    assert all(later - earlier <= HOUR for earlier, later in pairwise(seen))


def test_a_short_term_gets_its_last_look_in_time_too() -> None:
    assert look_after(NOON, term=8 * MINUTE) == NOON + 7 * MINUTE


def test_in_doubt_the_next_looks_complete_the_run_exactly() -> None:
    first = NOON + HOUR
    second = look_after(first, in_doubt=True)
    assert second is not None
    third = look_after(second, in_doubt=True)
    assert third is not None

    run = [Look(at, "gone") for at in (first, second, third)]
    assert gone_since(run, RULE) == first


def test_after_removal_the_watch_is_at_1_3_7_and_30_days() -> None:
    removed_at, at, seen = NOON + HOUR, NOON + HOUR, []
    while (later := look_after(at, removed_at=removed_at)) is not None:
        seen.append((later - removed_at) / DAY)
        at = later

    assert seen == [1, 3, 7, 30]
