"""How often one host is asked."""

from checker.politeness import Politeness


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_host_is_looked_at_once_at_a_time_and_rests_for_every_request() -> None:
    clock = Clock()
    politeness = Politeness(pause_s=1.0, clock=clock)

    assert politeness.start("example.com")
    assert not politeness.start("www.example.com")
    assert politeness.start("example.net")

    politeness.finish("example.com", requests=3, slow_down=False)
    clock.now += 2.9
    assert not politeness.start("example.com")
    clock.now += 0.1
    assert politeness.start("example.com")


def test_a_host_that_has_had_too_much_rests_for_a_minute() -> None:
    clock = Clock()
    politeness = Politeness(pause_s=1.0, slowed_down_s=60.0, clock=clock)
    politeness.start("example.com")

    politeness.finish("example.com", requests=1, slow_down=True)

    clock.now += 59.9
    assert not politeness.start("example.com")
    clock.now += 0.1
    assert politeness.start("example.com")
