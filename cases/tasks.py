"""The sweeps: find what is due, call a service. Harmless when run late, twice, or not at all for a while."""

from collections.abc import Callable
from functools import wraps

from celery import Task, shared_task
from django.conf import settings

from accounts.services import forget_ended
from accounts.throttle import forget_empty
from audit.chain import extend
from audit.record import Actor
from cases.clock import database_now
from cases.intake.mailbox import reading
from cases.intake.replies import reading as replies
from cases.services import (
    bulk,
    contact_health,
    figures,
    forwarding,
    keep,
    ladder,
    news,
    origins,
    picked,
    receipts,
    reroute,
    retention,
    route,
    sending,
    system_mail,
    watching,
)
from cases.services.beat import leave_beat
from cases.services.sending import deliveries
from providers.fetch import fetcher
from providers.services import registry
from providers.sources.resolver import resolver

# Messages expire with their period (settings.beat_schedule): the next sweep finds the rows again.


def sweep(work: Callable[[], None]) -> "Task[[], None]":
    """A task that leaves a beat when it has come to its end: by that, health sees whether the sweeps run."""

    @wraps(work)
    def run() -> None:
        work()
        leave_beat(name=work.__name__, now=database_now())

    return shared_task(run)


@sweep
def sweep_intake() -> None:
    """Read what came in and was kept."""
    keep.read_due(clock=database_now)


@sweep
def sweep_routes() -> None:
    """Who hosts what came in, and what was judged on its way to the outbox."""
    by = Actor.system("sweep_routes")
    route.attribute_new(resolver=resolver(), by=by, now=database_now())
    reroute.leave_suspended(by=by, now=database_now())
    reroute.end_waits_for_contact(by=by, now=database_now())
    route.route_due(resolver=resolver(), by=by, now=database_now())
    origins.ask_due(by=by, now=database_now())


@sweep
def sweep_registries() -> None:
    """Ask the registries of networks what no other source knows."""
    if settings.HOST.rdap:
        registry.ask_due(fetcher=fetcher(), by=Actor.system("sweep_registries"), clock=database_now)


@sweep
def sweep_dispatches() -> None:
    """Hand over what is due in the outbox."""
    sending.deliver_due(resolver=resolver(), by=Actor.system("sweep_dispatches"), clock=database_now)


@sweep
def sweep_deadlines() -> None:
    """Escalate what ran out of time."""
    ladder.run_out_due(by=Actor.system("sweep_deadlines"), now=database_now())


@sweep
def sweep_steps() -> None:
    """Take the rungs of the ladder that are due, pass on what nobody sees to, and say whose customer's time is over."""
    by = Actor.system("sweep_steps")
    ladder.take_steps_due(by=by, now=database_now())
    ladder.pass_on_due(by=by, now=database_now())
    forwarding.remind_due(by=by, now=database_now())


@sweep
def sweep_retention() -> None:
    """Erase what has been kept long enough: the traces of visitors and calls at once, the rest once a day."""
    forget_empty(now=database_now())
    forget_ended(now=database_now())
    deliveries.forget_old(now=database_now())
    retention.erase_daily(by=Actor.system("retention"), now=database_now())


@sweep
def sweep_mailbox() -> None:
    """Read the partners' mailbox, if there is one, and take in what people said yes to."""
    by = Actor.system("sweep_mailbox")
    if reading.is_on():
        reading.read_mailbox(by=by, clock=database_now)
    else:
        reading.take_accepted(by=by, clock=database_now)


@sweep
def sweep_replies() -> None:
    """Read what came back to our messages, if there is a mailbox for it."""
    if replies.is_on():
        replies.read_replies(by=Actor.system("sweep_replies"), clock=database_now)


@sweep
def sweep_receipts() -> None:
    """Answer the partners whose mail was taken in, and send what we say beside the messages about notices."""
    receipts.send_due(by=Actor.system("sweep_receipts"), clock=database_now)
    system_mail.warn_of_keys(now=database_now())
    news.tell_due(now=database_now())
    system_mail.send_due(by=Actor.system("sweep_receipts"), clock=database_now)


@sweep
def sweep_audit() -> None:
    """Chain the events that were committed since the last time."""
    extend()


@sweep
def sweep_figures() -> None:
    """Count what is too much to count while somebody waits."""
    figures.keep(now=database_now())
    watching.forget(now=database_now())
    contact_health.keep(now=database_now())


@sweep
def sweep_bulk() -> None:
    """Work on what somebody does to many notices, and erase what is kept no longer."""
    bulk.run_slice(clock=database_now)
    bulk.erase_old(now=database_now())
    picked.erase_old(now=database_now())


#: What `manage.py sweep` runs in the foreground, in this order.
SWEEPS = {
    "intake": sweep_intake,
    "routes": sweep_routes,
    "registries": sweep_registries,
    "dispatches": sweep_dispatches,
    "deadlines": sweep_deadlines,
    "steps": sweep_steps,
    "retention": sweep_retention,
    "mailbox": sweep_mailbox,
    "replies": sweep_replies,
    "receipts": sweep_receipts,
    "audit": sweep_audit,
    "figures": sweep_figures,
    "bulk": sweep_bulk,
}
