"""Drills: workers are killed and hung while they send, and the broker and the database go away.

The short ones run with all tests; the long ones (`make drill`) do it at size and let the real time pass.
"""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.core.management import call_command
from redis import Redis

from cases.models import Attempt, Dispatch
from local import control
from tests.conftest import FixedResolver
from tests.drills.world import (
    Workers,
    all_accepted,
    assert_each_once,
    assert_verified,
    judged,
    restart,
    time_passes,
    wait_for,
)
from tests.mailserver import MailServer


def at_message(number: int, do: Callable[[], None]) -> tuple[Callable[[str], None], threading.Event]:
    """A hook for the mail server: do something when it has taken its nth message and not answered yet."""
    seen: list[str] = []
    done = threading.Event()

    def hook(recipient: str) -> None:
        seen.append(recipient)
        if len(seen) == number:
            do()
            done.set()

    return hook, done


def flush_broker() -> None:
    """Everything that was queued is gone, without an error anywhere."""
    Redis.from_url(settings.HOST.redis_url).flushall()


def test_killed_between_taking_and_answering_with_a_flushed_broker_and_a_restarted_database(
    workers: Workers, mail_server: MailServer
) -> None:
    notices = judged(contacts=8, each=3)
    hook, struck = at_message(3, lambda: workers.kill("sending"))
    mail_server.on_data = hook
    workers.start("sweeps", "sending", "beat")

    assert struck.wait(60), workers.words()
    flush_broker()
    restart("postgres")
    workers.start("sending2")
    # The dead worker's hands held all of them: the database is there again, and their lease runs out.
    wait_for(lambda: Dispatch.objects.exists(), within_s=60, say=workers.words)
    time_passes()
    wait_for(lambda: all_accepted(len(notices)), within_s=60, say=workers.words)

    workers.stop()
    assert_each_once(notices, mail_server)
    assert any(count > 1 for count in mail_server.copies().values()), "the struck message went out again"
    assert_verified()


@pytest.mark.usefixtures("workers")
def test_without_a_broker_one_pass_in_the_foreground_does_all_the_work(
    mail_server: MailServer, static_resolver: FixedResolver, host: Callable[..., None]
) -> None:
    host(grouping_window=timedelta(0))
    notices = judged(contacts=2, each=2)
    control.ask("stop", "redis")

    call_command("sweep", "all")

    assert_each_once(notices, mail_server)
    assert_verified()


# -- long ---------------------------------------------------------------------------------------------------


@pytest.mark.drill
def test_500_notices_to_50_contacts_survive_kills_a_flush_and_a_restart_within_120_seconds(
    workers: Workers, mail_server: MailServer
) -> None:
    notices = judged(contacts=50, each=10)
    hook, struck = at_message(20, lambda: workers.kill("sending"))
    mail_server.on_data = hook
    workers.start("sweeps", "sending", "beat")

    assert struck.wait(120), workers.words()
    flush_broker()
    workers.kill("sweeps")
    restart("postgres")
    workers.start("sending2", "sweeps2")
    took = wait_for(lambda: all_accepted(len(notices)), within_s=120, say=workers.words)

    workers.stop()
    assert_each_once(notices, mail_server)
    assert_verified()
    assert took <= 120


@pytest.mark.drill
def test_a_worker_that_hung_while_sending_writes_nothing_when_it_wakes(
    workers: Workers, mail_server: MailServer
) -> None:
    notices = judged(contacts=3, each=2)
    hook, struck = at_message(1, lambda: workers.hang("sending"))
    mail_server.on_data = hook
    workers.start("sweeps", "sending", "beat")
    assert struck.wait(60), workers.words()

    time_passes()
    workers.start("sending2")
    wait_for(lambda: all_accepted(len(notices)), within_s=60, say=workers.words)
    finished = set(Attempt.objects.filter(ended_at__isnull=False).values_list("pk", "ended_at"))
    workers.kill("sending2")
    workers.wake("sending")
    # When this one has arrived, the woken worker is past what it held.
    notices += judged(contacts=1, each=1)
    wait_for(lambda: all_accepted(len(notices)), within_s=60, say=workers.words)
    workers.stop()

    assert finished <= set(Attempt.objects.filter(ended_at__isnull=False).values_list("pk", "ended_at"))
    assert_each_once(notices, mail_server)
    assert_verified()


@pytest.mark.drill
def test_two_clocks_and_four_workers_send_each_message_once(
    workers: Workers, mail_server: MailServer
) -> None:
    notices = judged(contacts=50, each=4)
    workers.start("sweeps", "sweeps2", "sending", "sending2", "beat", "beat2")
    wait_for(lambda: all_accepted(len(notices)), within_s=120, say=workers.words)
    workers.stop()

    assert set(mail_server.copies().values()) == {1}
    assert_each_once(notices, mail_server)
    assert_verified()


@pytest.mark.drill
def test_killed_twenty_times_everything_arrives(workers: Workers, mail_server: MailServer) -> None:
    notices = judged(contacts=60, each=3)
    workers.start("sweeps", "beat")
    for strike in range(20):
        name = f"sending{strike}"
        hook, struck = at_message(2, lambda name=name: workers.kill(name))  # type: ignore[misc]
        mail_server.on_data = hook
        time_passes()
        workers.start(name)
        wait_for(
            lambda struck=struck: struck.is_set() or all_accepted(len(notices)),  # type: ignore[misc]
            within_s=60,
            say=workers.words,
        )
    mail_server.on_data = lambda recipient: None
    time_passes()
    workers.start("sending-last")
    wait_for(lambda: all_accepted(len(notices)), within_s=120, say=workers.words)
    workers.stop()

    assert_each_once(notices, mail_server)
    assert_verified()


@pytest.mark.drill
def test_a_broker_that_comes_back_after_a_crash_finds_the_work_where_it_was(
    workers: Workers, mail_server: MailServer
) -> None:
    notices = judged(contacts=30, each=3)
    hook, struck = at_message(5, lambda: None)
    mail_server.on_data = hook
    workers.start("sweeps", "sending", "beat")
    assert struck.wait(60), workers.words()

    control.ask("kill", "redis")
    control.ask("start", "redis")
    wait_for(lambda: all_accepted(len(notices)), within_s=120, say=workers.words)
    workers.stop()

    assert_each_once(notices, mail_server)
    assert_verified()
