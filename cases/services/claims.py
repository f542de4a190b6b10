"""Claims of the work desk: the next free notice for a person, kept while they are at it, and given back.

Every verb here is short, locks nothing for longer than its statement, and is not written into the audit: that
somebody had a notice before them is no decision. Who comes second to a decision is refused by its version.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from cases.models import Claim

#: So long a claim lives without a sign that its page is still open (P).
ALIVE: Final = timedelta(minutes=5)
#: So long it lives without a key, a movement or a press, however open its page is (P).
IDLE: Final = timedelta(minutes=20)


class Kept(StrEnum):
    """What has become of a claim that a page asks about."""

    YES = "yes"
    #: Nobody was at it for IDLE: it is given back, and the page asks whether to go on.
    IDLE = "idle"
    #: It was not heard of for ALIVE, and a colleague has it now.
    TAKEN = "taken"


def take_next(*, heads: Mapping[str, QuerySet[Any]], user_id: int, now: datetime) -> Claim | None:
    """Claim the first notice of `heads` that nobody has; None when all are taken or there are none.

    `heads`: code of the work -> notices that this person may be given, each with `rank` and `since`
    annotated: the lower rank goes first, then the earlier moment, then the lower id. One statement finds and
    claims it; rows that somebody else is just claiming are skipped, so however many ask at once, no two of them
    get the same notice. What else this person had is given back.
    """
    if not heads:
        return None
    with transaction.atomic():
        while True:
            statement, parameters = _taking(heads, user_id=user_id, now=now)
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                found = cursor.fetchone()
            if found is None:
                return None
            if found[1] is not None:
                break
            # Claimed by another after our statement began; the next one sees that.
        Claim.objects.filter(user=user_id).exclude(pk=found[0]).delete()
        return Claim.objects.get(pk=found[0])


def take(*, notice_id: int, work: str, user_id: int, now: datetime) -> bool:
    """Claim this very notice, unless a colleague has it. What else this person had is given back."""
    with transaction.atomic():
        Claim.objects.filter(user=user_id).exclude(notice=notice_id).delete()
        Claim.objects.filter(notice=notice_id, until__lte=now).delete()
        made = Claim(
            notice_id=notice_id,
            user_id=user_id,
            work=work,
            claimed_at=now,
            active_at=now,
            until=now + ALIVE,
        )
        Claim.objects.bulk_create([made], ignore_conflicts=True)
        return Claim.objects.filter(notice=notice_id, user=user_id).exists()


def own(*, user_id: int, now: datetime) -> Claim | None:
    """What this person has before them: the last that they claimed."""
    return Claim.objects.live(now=now).filter(user=user_id).order_by("-claimed_at", "pk").first()


def show(claim: Claim, *, page: str, now: datetime) -> None:
    """A page named `page` shows it from now on: that is a sign of work as well."""
    Claim.objects.filter(pk=claim.pk, user=claim.user_id).update(page=page, active_at=now, until=now + ALIVE)


def keep(*, notice_id: int, work: str, user_id: int, active: bool, now: datetime) -> Kept:
    """The page is still open. `active`: there was a key, a movement or a press since it last said so.

    A claim that died meanwhile is taken up again by activity, if nobody else has the notice.
    """
    with transaction.atomic():
        claim = Claim.objects.select_for_update().filter(notice=notice_id).first()
        lives = claim is not None and claim.until > now
        if claim is not None and lives and claim.user_id != user_id:
            return Kept.TAKEN
        if claim is None or not lives:
            if not active:
                return Kept.IDLE
            return Kept.YES if take(notice_id=notice_id, work=work, user_id=user_id, now=now) else Kept.TAKEN
        if active:
            claim.active_at = now
        idle = now - claim.active_at >= IDLE
        claim.until = now if idle else now + ALIVE
        claim.save(update_fields=["active_at", "until"])
        return Kept.IDLE if idle else Kept.YES


def release(*, notice_id: int, user_id: int, page: str | None = None) -> None:
    """Give a notice back, if this person has it; with `page`, only if that is the last page that showed it."""
    mine = Claim.objects.filter(notice=notice_id, user=user_id)
    (mine if page is None else mine.filter(page=page)).delete()


def release_all(*, user_id: int) -> None:
    """Give everything back: the person goes."""
    Claim.objects.filter(user=user_id).delete()


def holders(notice_ids: Iterable[int], *, now: datetime) -> dict[int, int]:
    """Notice -> who has it before them, of those that somebody has."""
    live = Claim.objects.live(now=now).filter(notice__in=list(notice_ids))
    return dict(live.values_list("notice_id", "user_id"))


def busy(*, now: datetime, besides: int) -> dict[int, int]:
    """Colleague -> how many notices they have before them; as many rows as there are people at work."""
    found: dict[int, int] = {}
    live = Claim.objects.live(now=now).exclude(user=besides).order_by("claimed_at", "pk")
    for user_id in live.values_list("user_id", flat=True):
        found[user_id] = found.get(user_id, 0) + 1
    return found


def _taking(heads: Mapping[str, QuerySet[Any]], *, user_id: int, now: datetime) -> tuple[str, list[Any]]:
    """The statement that claims the first free one, and its parameters.

    It returns (id of the first, id of what was claimed): no row when nothing is free, and (id, NULL) when
    another claimed it between our look and our claim.
    """
    taken = Claim.objects.live(now=now).exclude(user=user_id).filter(notice=OuterRef("pk"))
    parts, unions = [], []
    parameters: list[Any] = []
    for number, notices in enumerate(heads.values()):
        first = (
            notices.filter(~Exists(taken))
            .order_by("rank", "since", "pk")
            .select_for_update(skip_locked=True, no_key=True, of=("self",))
            .values("pk", "rank", "since")[:1]
        )
        sql, values = first.query.sql_with_params()
        parts.append(f"head{number} (id, rank, since) AS MATERIALIZED ({sql})")
        unions.append(f"SELECT id, rank, since, %s AS work FROM head{number}")  # noqa: S608 - a number
        parameters += values
    statement = f"""
        WITH {", ".join(parts)},
        best AS (SELECT id, work FROM ({" UNION ALL ".join(unions)}) heads ORDER BY rank, since, id LIMIT 1),
        claimed AS (
            INSERT INTO cases_claim AS c (notice_id, user_id, work, page, claimed_at, active_at, until)
            SELECT id, %s, work, '', %s, %s, %s FROM best
            ON CONFLICT (notice_id) DO UPDATE SET user_id = EXCLUDED.user_id, work = EXCLUDED.work, page = '',
                claimed_at = EXCLUDED.claimed_at, active_at = EXCLUDED.active_at, until = EXCLUDED.until
            WHERE c.until <= %s OR c.user_id = EXCLUDED.user_id
            RETURNING notice_id
        )
        SELECT best.id, claimed.notice_id FROM best LEFT JOIN claimed ON claimed.notice_id = best.id
    """  # noqa: S608 - statements of our own query sets
    return statement, [*parameters, *heads, user_id, now, now, now + ALIVE, now]
