"""One world for all walks: it is built once, and what a walk changes in it is taken back."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from accounts.models import Scope, User
from accounts.roles import STAFF_ROLES
from cases.models import DeadlineRule, MessageTemplate, Term, Vocabulary
from tests.factories import MailSenderFactory, UserFactory, api_key
from tests.isolation import world
from tests.isolation.asking import Answer, Question, Walker, api_questions, of_providers, questions
from tests.isolation.world import ALFA, BRAVURA, Side


@dataclass
class World:
    """Both providers, those who ask, and what alfa was told while bravura was not there."""

    alfa: Side
    bravura: Side
    # Rows that are no provider's, by kind.
    house: dict[str, Any]
    walkers: dict[str, Walker]
    alone: dict[tuple[str, Question], Answer]


@pytest.fixture(scope="package")
def worlds(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Built in a transaction that is never committed. The clock stands still, so that answers can be compared."""
    now = timezone.now()
    with (
        django_db_blocker.unblock(),
        world.numbered() as begin,
        transaction.atomic(),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(timezone, "now", lambda: now)
        for module in [each for each in sys.modules.values() if "database_now" in vars(each)]:
            patch.setattr(module, "database_now", lambda: now)
        begin(70)
        walkers = {"guest": Walker("guest")} | _staff()
        house = {
            "mail_sender": MailSenderFactory().pk,
            "template": MessageTemplate.objects.order_by("pk").values_list("pk", flat=True)[0],
            "rule": DeadlineRule.objects.get().pk,
            "vocabulary": Vocabulary.objects.order_by("pk").values_list("pk", flat=True)[0],
            "term": Term.objects.order_by("pk").values_list("pk", flat=True)[0],
            "letter_kind": "first",
            "language": "en",
            "quarter": f"{now.year}-Q1",
            "file_kind": "csv",
            "proposal_kind": "add",
            "event": 1,
            "mail": world.partner_mail().pk,
        }
        begin(ALFA.number)
        alfa = world.furnish(ALFA)
        alfa.rows |= house
        walkers |= _people(alfa)
        begin(73)
        alone = {
            (name, question): question.asked_by(walkers[name], follow=True)
            for name in ("alfa member", "alfa admin", "alfa key")
            for question in asked_of(alfa.rows, name)
        }
        begin(BRAVURA.number)
        bravura = world.furnish(BRAVURA)
        bravura.rows |= house
        walkers |= _people(bravura)
        begin(73)
        yield World(alfa, bravura, house, walkers, alone)
        transaction.set_rollback(True)


def asked_of(rows: dict[str, Any], name: str) -> list[Question]:
    """What a walker of a provider asks about these rows: a key the API, people all that is not the staff's."""
    if name.endswith("key"):
        return list(api_questions(rows))
    return [question for found in of_providers() if not found.scopes for question in questions(found, rows)]


def _people(side: Side) -> dict[str, Walker]:
    name = side.stamp.name
    walkers = {
        f"{name} {who}": Walker(f"{name} {who}", session=world.session_of(side.people[who]).key)
        for who in ("member", "admin", "ex")
    }
    # Out between two requests: the cookie and the row of the session are still there.
    User.objects.filter(pk=side.people["ex"].pk).update(is_active=False)
    return walkers | {f"{name} {kind}": Walker(f"{name} {kind}", key=key) for kind, key in side.keys.items()}


def _staff() -> dict[str, Walker]:
    people = {str(role): UserFactory(roles=[str(role)], name=str(role)) for role in sorted(STAFF_ROLES)}
    people["everyone"] = UserFactory(
        roles=sorted(map(str, STAFF_ROLES)), email="all@hotline.example", name="Noor"
    )
    walkers = {name: Walker(name, session=world.session_of(person).key) for name, person in people.items()}
    keys = {scope: api_key(scope, name=f"our {scope}")[1] for scope in set(Scope) - {Scope.NOTICES_ANSWER}}
    return walkers | {f"our {scope}": Walker(f"our {scope}", key=key) for scope, key in keys.items()}
