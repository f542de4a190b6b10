"""After a backup was put back nothing goes out by itself that may have gone out already (I13, docs/adr/0020)."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from audit.models import Event
from audit.record import Actor, event, record, record_many
from cases.models import Dispatch, Place
from cases.services.writing import fields_of, write_rows

#: So many numbers of the hotline's series are left out: those of the lost time were read by others.
NUMBERS_LEFT_OUT: Final = 10_000
#: Reminders that fell due in the lost time are found at once; those that are due later were never sent.
CATCHING_UP: Final = timedelta(hours=1)

# A dump that was read in has other tables; a copied or recreated database another number; a cluster that was put
# back to a point in time, or a standby that took over, another timeline.
FINGERPRINT: Final = """
    SELECT concat_ws('/', (SELECT system_identifier FROM pg_control_system()),
        (SELECT timeline_id FROM pg_control_checkpoint()),
        (SELECT oid FROM pg_database WHERE datname = current_database()), 'cases_dispatch'::regclass::oid)
"""


def fingerprint() -> str:
    """What the server says of itself: another text after a backup was put back."""
    with connection.cursor() as cursor:
        cursor.execute(FINGERPRINT)
        (said,) = cursor.fetchone()
    return str(said)


def look_round(*, by: Actor, now: datetime) -> Place:
    """Where we are. When that is somewhere else than last time, everything that waits is set aside for a person."""
    here = fingerprint()
    place = Place.objects.first()
    if place is not None and place.fingerprint == here:
        return place
    with transaction.atomic():
        Place.objects.bulk_create([Place(fingerprint=here, since=now)], ignore_conflicts=True)
        place = Place.objects.select_for_update().get()
        if place.fingerprint != here:
            newest = Event.objects.order_by("-pk").values_list("at", flat=True).first()
            place.fingerprint, place.since, place.doubted_until = here, now, newest or now
            place.save()
            _set_aside_all(by=by, now=now)
            _skip_numbers()
            record("restored", "system", 1, by=by, at=now)
    return place


def stay(*, by: Actor, now: datetime) -> int:
    """Whoever runs this says that nothing was lost: the database was moved, with all that was sent. Returns how many
    messages wait again that had been set aside for it."""
    with transaction.atomic():
        look_round(by=by, now=now)
        Place.objects.update(doubted_until=None)
        rows = list(
            Dispatch.objects.select_for_update()
            .filter(state=Dispatch.State.PARKED, trouble=Dispatch.Trouble.RESTORED)
            .order_by("pk")
        )
        for row in rows:
            row.state, row.trouble, row.next_attempt_at = Dispatch.State.PENDING, "", now
        write_rows(rows, fields_of(Dispatch, "state", "trouble", "next_attempt_at"))
        record_many(
            event("retry", "dispatch", row.pk, by=by, at=now, was="parked", became="pending") for row in rows
        )
        record("nothing_lost", "system", 1, by=by, at=now)
    return len(rows)


def _set_aside_all(*, by: Actor, now: datetime) -> None:
    rows = list(Dispatch.objects.select_for_update().filter(state=Dispatch.State.PENDING).order_by("pk"))
    for row in rows:
        row.state, row.trouble, row.leased_until = Dispatch.State.PARKED, Dispatch.Trouble.RESTORED, None
        row.gathering = False
    write_rows(rows, fields_of(Dispatch, "state", "trouble", "leased_until", "gathering"))
    record_many(
        event("park", "dispatch", row.pk, by=by, at=now, was="pending", became="parked") for row in rows
    )


def _skip_numbers() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT setval('cases_dispatch_number', nextval('cases_dispatch_number') + %s)",
            [NUMBERS_LEFT_OUT],
        )
