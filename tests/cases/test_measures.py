"""The arithmetic of the figures, against examples that were published."""

from datetime import UTC, datetime

import pytest

from cases.measures.quarter import Quarter
from cases.measures.share import wilson
from cases.measures.survival import curve

#: Weeks of remission under 6-mercaptopurine; + was still in remission (Freireich 1963; Cox 1972, example 1).
FREIREICH = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"


def weeks(text: str) -> list[tuple[float, bool, int]]:
    return [(float(each.strip("+")), "+" not in each, 1) for each in text.split()]


@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_of_a_share_is_wilsons(part: int, whole: int, low: float, high: float) -> None:
    # Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    found = wilson(part, whole)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    mirrored = wilson(whole - part, whole)
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


@pytest.mark.parametrize(("part", "whole"), [(0, 0), (3, 2), (-1, 2)])
def test_a_share_of_nothing_is_an_error(part: int, whole: int) -> None:
    with pytest.raises(ValueError):
        wilson(part, whole)


@pytest.mark.parametrize(
    ("week", "remains", "low", "high"),
    [
        (6, 0.8571, 0.6197, 0.9516),
        (7, 0.8067, 0.5631, 0.9228),
        (10, 0.7529, 0.5032, 0.8894),
        (13, 0.6902, 0.4316, 0.8491),
        (16, 0.6275, 0.3675, 0.8049),
        (22, 0.5378, 0.2678, 0.7468),
        (23, 0.4482, 0.1881, 0.6801),
    ],
)
def test_the_estimate_and_its_interval_are_those_of_the_textbook(
    week: int, remains: float, low: float, high: float
) -> None:
    # The product limit with the log(-log) interval, as SAS's LIFETEST and R's survfit give it for these data.
    estimate = curve(weeks(FREIREICH))
    gone = estimate.gone_within(week)
    assert gone is not None
    assert round(estimate.at(week), 4) == remains
    assert (round(1 - gone.high, 4), round(1 - gone.low, 4)) == (low, high)
    assert estimate.at(week + 0.5) == estimate.at(week) if week != 6 else True


def test_the_median_is_when_half_is_gone_or_is_not_reached() -> None:
    estimate = curve(weeks(FREIREICH))
    assert estimate.when_gone(0.5) == 23
    assert estimate.when_gone(0.25) == 13
    assert estimate.when_gone(0.9) is None


def test_bins_count_as_single_durations_do() -> None:
    single = curve(weeks(FREIREICH))
    binned = curve([(6, True, 3), (6, False, 1), (32, False, 2), *weeks(FREIREICH.replace("6 6 6 6+", "")
                    .replace("32+ 32+", ""))])  # fmt: skip
    assert binned.times.tolist() == single.times.tolist()
    assert binned.remains.tolist() == pytest.approx(single.remains.tolist())
    assert binned.greenwood.tolist() == pytest.approx(single.greenwood.tolist())


def test_where_nothing_or_everything_is_gone_there_is_a_value_and_no_interval() -> None:
    assert curve([]).at(5) == 1
    assert curve([(3, False, 4)]).gone_within(5) is None
    all_gone = curve([(1, True, 2), (2, True, 2)])
    assert (all_gone.at(2), all_gone.gone_within(2), all_gone.when_gone(0.5)) == (0, None, 1)
    with pytest.raises(ValueError):
        curve([(-1, True, 1)])


def test_a_quarter_begins_and_ends_in_utc() -> None:
    quarter = Quarter.of(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert str(quarter) == "2026-Q4"
    assert (quarter.begins, quarter.ends) == (
        datetime(2026, 10, 1, tzinfo=UTC),
        datetime(2027, 1, 1, tzinfo=UTC),
    )
    assert [str(quarter.back(count)) for count in (1, 3, 4)] == ["2026-Q3", "2026-Q1", "2025-Q4"]
    assert Quarter.spelled("2026-Q4") == quarter
    assert Quarter.spelled("2026-Q5") is None
