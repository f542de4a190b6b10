"""Cohen's kappa, against figures that others worked out."""

import pytest

from cases.agreement import agreement


def test_the_textbook_example_of_two_readers_and_fifty_grants() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed 0.7, expected 0.5, kappa 0.4.
    found = agreement({("yes", "yes"): 20, ("yes", "no"): 5, ("no", "yes"): 10, ("no", "no"): 15})

    assert (found.pairs, found.same, found.observed) == (50, 35, 0.7)
    assert found.kappa == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("table", "kappa"),
    [
        # Two tables with the same observed agreement of 0.6 and other margins.
        ({("y", "y"): 45, ("y", "n"): 15, ("n", "y"): 25, ("n", "n"): 15}, 0.1304),
        ({("y", "y"): 25, ("y", "n"): 35, ("n", "y"): 5, ("n", "n"): 35}, 0.2593),
    ],
)
def test_margins_count(table: dict[tuple[str, str], int], kappa: float) -> None:
    found = agreement(table)

    assert found.observed == 0.6
    assert found.kappa == pytest.approx(kappa, abs=0.00005)


def test_three_classes_by_hand() -> None:
    # Rows 10, 8, 2; columns 9, 7, 4; the same 7 + 5 + 2 = 14 of 20.
    table = {
        ("a", "a"): 7,
        ("a", "b"): 2,
        ("a", "c"): 1,
        ("b", "a"): 2,
        ("b", "b"): 5,
        ("b", "c"): 1,
        ("c", "c"): 2,
    }
    expected = (10 * 9 + 8 * 7 + 2 * 4) / 400

    assert agreement(table).kappa == pytest.approx((0.7 - expected) / (1 - expected))


def test_full_agreement_none_and_less_than_chance() -> None:
    assert agreement({("a", "a"): 5, ("b", "b"): 5}).kappa == 1
    assert agreement({("a", "a"): 10}).kappa is None  # one word only: chance alone explains it
    assert agreement({("a", "b"): 5, ("b", "a"): 5}).kappa == -1
    assert agreement({}) == agreement({("a", "a"): 0})


def test_few_pairs_say_nothing() -> None:
    assert agreement({("a", "a"): 9}).is_few
    assert not agreement({("a", "a"): 10}).is_few
