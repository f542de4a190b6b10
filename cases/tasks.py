"""The sweeps: find what is due, call a service. Harmless when run late, twice, or not at all for a while."""

from celery import shared_task

from audit.chain import extend
from audit.record import Actor
from cases.clock import database_now
from cases.services import deliver, ladder, route
from providers.sources.resolver import resolver

# Messages expire with their period (settings.beat_schedule): the next sweep finds the rows again.


@shared_task
def sweep_routes() -> None:
    """Who hosts what came in, and what was judged on its way to the outbox."""
    by = Actor.system("sweep_routes")
    route.attribute_new(resolver=resolver(), by=by, now=database_now())
    route.route_due(resolver=resolver(), by=by, now=database_now())


@shared_task
def sweep_dispatches() -> None:
    """Hand over what is due in the outbox."""
    deliver.deliver_due(resolver=resolver(), by=Actor.system("sweep_dispatches"), clock=database_now)


@shared_task
def sweep_deadlines() -> None:
    """Escalate what ran out of time."""
    ladder.run_out_due(by=Actor.system("sweep_deadlines"), now=database_now())


@shared_task
def sweep_steps() -> None:
    """Take the rungs of the ladder that are due."""
    ladder.take_steps_due(by=Actor.system("sweep_steps"), now=database_now())


@shared_task
def sweep_audit() -> None:
    """Chain the events that were committed since the last time."""
    extend()


#: What `manage.py sweep` runs in the foreground, in this order.
SWEEPS = {
    "routes": sweep_routes,
    "dispatches": sweep_dispatches,
    "deadlines": sweep_deadlines,
    "steps": sweep_steps,
    "audit": sweep_audit,
}
