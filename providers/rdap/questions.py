"""Which addresses are still to be asked of their registries, and which were asked in vain."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from providers.models import Attribution, RegistryQuestion

ASK_EVERY: Final = timedelta(hours=24)  # P; one network is asked for once in that time
HOLDS_FOR: Final = timedelta(days=7)  # P; older than that an answer names nobody


def unsettled(addresses: Collection[str], *, now: datetime) -> Mapping[str, str]:
    """What keeps us from an answer (Attribution.Trouble), for those of the addresses that no young answer covers.

    Still to be asked; or asked, and nothing usable came. "" when the registry has said that it knows nothing.
    """
    rows = {row.address: row for row in RegistryQuestion.objects.filter(address__in=addresses)}
    return {address: _trouble(rows.get(address), now=now) for address in addresses}


def want(addresses: Iterable[str], *, now: datetime) -> None:
    """Have addresses asked for. What is waiting already, or was asked in vain today, stays as it is."""
    wanted = sorted(set(addresses))
    if not wanted:
        return
    RegistryQuestion.objects.filter(
        address__in=wanted, due_at__isnull=True, asked_at__lte=now - ASK_EVERY
    ).update(wanted_at=now, due_at=now, attempts=0, trouble="")
    RegistryQuestion.objects.bulk_create(
        [RegistryQuestion(address=address, wanted_at=now, due_at=now) for address in wanted],
        ignore_conflicts=True,
        batch_size=1_000,
    )


def _trouble(question: RegistryQuestion | None, *, now: datetime) -> str:
    if question is None or not question.attempts or _rests_since_yesterday(question, now=now):
        return Attribution.Trouble.ASKING
    if question.trouble == RegistryQuestion.Trouble.NOT_FOUND:
        return ""
    return Attribution.Trouble.REGISTRY_SILENT


def _rests_since_yesterday(question: RegistryQuestion, *, now: datetime) -> bool:
    return question.due_at is None and question.asked_at is not None and question.asked_at <= now - ASK_EVERY
