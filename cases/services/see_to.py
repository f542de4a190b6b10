"""Saying that one sees to a task, so that nobody else does it as well."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from cases.models import SeenTo
from cases.services.refused import NotFound
from providers.models import Contact, Provider

Task = SeenTo.Task
_SUBJECTS: Final = {Task.SUSPENDED: Contact, Task.UNREACHABLE: Contact, Task.NO_CONTACT: Provider}


def see_to(*, task: str, subject_id: int, by: Actor, now: datetime) -> SeenTo:
    """A person takes a task on; whoever said so last has it. Raises NotFound."""
    model = _SUBJECTS.get(Task(task)) if task in Task.values else None
    if model is None or not model._default_manager.filter(pk=subject_id).exists():
        raise NotFound(_("There is no such task."))
    with transaction.atomic():
        seen = SeenTo.objects.create(task=task, subject_id=subject_id, by=str(by), at=now)
        record("see_to", model._meta.model_name or "", subject_id, by=by, at=now, data={"task": task})
    return seen


def seen_to(task: str, began: Iterable[tuple[int, datetime]]) -> dict[int, SeenTo]:
    """Subject -> who sees to it, for tasks that began then; what nobody sees to is left out."""
    since = dict(began)
    latest = (
        SeenTo.objects.filter(task=task, subject_id__in=since)
        .order_by("subject_id", "-at", "-pk")
        .distinct("subject_id")
    )
    return {each.subject_id: each for each in latest if each.at >= since[each.subject_id]}
