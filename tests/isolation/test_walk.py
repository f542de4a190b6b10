"""Whoever asks: another provider's row does not exist (I9). Every route and every operation, as everybody."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from accounts.models import Scope
from accounts.roles import STAFF_ROLES, TABLE, Role, may
from tests.isolation.asking import Answer, Question, api_questions, questions
from tests.isolation.conftest import World, asked_of
from tests.isolation.table import ANYBODY, BY_CELL, OPERATIONS, ROUTES
from tests.isolation.walking import Found, operations, routes
from tests.isolation.world import MALFORMED, MISSING, fingerprint

pytestmark = pytest.mark.django_db

#: Who asks, and who is not to be seen.
OF_PROVIDERS = [
    ("alfa member", "bravura"),
    ("alfa admin", "bravura"),
    ("alfa key", "bravura"),
    ("bravura admin", "alfa"),
]

#: What a page of the staff answers to a look: the page, or (405) that it is for pressing only.
_SHOWN = {200, 302, 405}
_NOT_THERE = {302, 404, 405}


# -- The table is whole ------------------------------------------------------------------------------------


def test_every_route_stands_in_the_table() -> None:
    found = routes()

    unknown = sorted(found.keys() - ROUTES.keys())
    assert unknown == [], "say in tests/isolation/table.py what their parameters name and who may enter"
    assert ROUTES.keys() - found.keys() <= {"styleguide"}, (
        "these are no routes any more: take them out of the table"
    )
    assert [n for n, route in found.items() if len(route.parameters) != len(ROUTES[n].kinds)] == []


def test_every_route_says_who_may_enter() -> None:
    for name, found in routes().items():
        if ROUTES[name].enter == BY_CELL:
            assert found.cell in TABLE or set(found.scopes.values()) <= set(Scope), name
            assert found.cell or found.scopes, f"{name} names neither a cell nor a scope: say enter="
        else:
            assert found.cell + "".join(found.scopes) == "", f"{name} says itself who may enter"


def test_every_page_of_the_staff_but_the_frame_has_a_cell() -> None:
    frame = {
        "index", "password_change", "password_change_done", "jsi18n", "autocomplete", "view_on_site", "app_list",
        "login", "logout",
    }  # fmt: skip
    pages = {name: found for name, found in routes().items() if found.pattern.startswith("staff/")}

    # What has no name is Django's answer to unknown addresses.
    assert {n for n, found in pages.items() if not found.cell} == {f"admin:{n}" for n in frame} | {
        "staff/(?P<url>.*)$"
    }


def test_every_operation_of_the_api_stands_in_the_table() -> None:
    assert operations().keys() == OPERATIONS.keys(), "say in tests/isolation/table.py what to ask it"


# -- Another provider ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "other"), OF_PROVIDERS)
def test_what_is_anothers_is_answered_like_what_does_not_exist(worlds: World, name: str, other: str) -> None:
    walker, foreign = worlds.walkers[name], getattr(worlds, other)
    before = fingerprint(foreign)
    missing = asked_of(foreign.rows | MISSING | worlds.house, name)
    answers = {}
    # Whoever has a link is let in by it, whoever they are: of these the walk asks the ones that open nothing.
    held = {"token": foreign.ended["token"], "link_token": MISSING["link_token"]}
    for rows in (foreign.rows | held, foreign.rows | foreign.ended | held):
        for question, nothing in zip(asked_of(rows, name), missing, strict=True):
            if nothing not in answers:
                answers[nothing] = nothing.asked_by(walker, follow=True)
            if question == nothing:
                continue  # it names no row
            told = question.asked_by(walker, follow=True)
            same(told, answers[nothing], question)
            assert not (mark := foreign.stamp.marks.search(told.bytes)), (question, mark)
    for question in missing:
        assert answers[question].status < 500, question
    assert fingerprint(foreign) == before


def test_what_another_provider_has_changes_nothing_in_what_one_is_told(worlds: World) -> None:
    """Neither a row, nor a count, nor a place in a list, nor a figure of it."""
    for (name, question), alone in worlds.alone.items():
        told = question.asked_by(worlds.walkers[name], follow=True)
        same(told, alone, question)
        assert not (mark := worlds.bravura.stamp.marks.search(told.bytes)), (name, question, mark)


def test_the_walk_is_no_walk_past_shut_doors(worlds: World) -> None:
    """Own rows are shown and changed: the marks that are sought elsewhere do stand there."""
    for (name, question), alone in worlds.alone.items():
        found = routes().get(question.route)
        route = ROUTES[found.name] if found else None
        if (
            route
            and route.kinds
            and route.enter != ANYBODY
            and question.method == "GET"
            and name == "alfa admin"
        ):
            assert alone.status in {200, 302, 405}, (question, alone.status)
    shown = "\n".join(alone.bytes for alone in worlds.alone.values())
    assert len(worlds.alfa.stamp.marks.findall(shown)) > 100
    assert Counter(alone.status for alone in worlds.alone.values())[200] > 40


def test_a_malformed_row_is_none_as_well(worlds: World) -> None:
    for name, _other in OF_PROVIDERS[1:3]:
        for question in asked_of(worlds.alfa.rows | MALFORMED, name):
            told = question.asked_by(worlds.walkers[name])
            assert told.status < 500, (question, told.status)


# -- Those who have no part in it ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["guest", "alfa ex", "alfa revoked"])
def test_who_is_out_learns_nothing_of_anything(worlds: World, name: str) -> None:
    walker, alfa = worlds.walkers[name], worlds.alfa
    if walker.key:
        pairs = zip(api_questions(alfa.rows), api_questions(alfa.rows | MISSING), strict=True)
    else:
        pairs = _pairs(worlds, (f for f in routes().values() if ROUTES[f.name].enter != ANYBODY))
    for question, nothing in pairs:
        told = question.asked_by(walker)
        assert told.status in {301, 302, 401}, (question, told.status)
        assert not alfa.stamp.marks.search(told.bytes), question
        if question != nothing:
            same(told, nothing.asked_by(walker), question)


def test_a_provider_learns_nothing_of_the_staff(worlds: World) -> None:
    walker = worlds.walkers["alfa admin"]
    staffs = [
        f for f in routes().values() if f.pattern.startswith("staff/") and ROUTES[f.name].enter != ANYBODY
    ]
    for question, nothing in _pairs(worlds, staffs):
        told = question.asked_by(walker)
        assert told.status in {301, 302}, (question, told.status)
        if question != nothing and question.method == "GET":
            same(told, nothing.asked_by(walker), question)


# -- The staff: by the table of permissions ----------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(STAFF_ROLES))
def test_the_staff_opens_exactly_what_its_cells_say_and_else_learns_nothing(
    worlds: World, role: Role
) -> None:
    walker = worlds.walkers[str(role)]
    doors = [found for found in routes().values() if found.cell]
    for found in doors:
        for question, nothing in _pairs(worlds, [found]):
            if may({role}, found.cell):
                # What it shows is asked below, once for all. Where a look is refused as such, a press opens.
                status = nothing.asked_by(walker).status
                assert status != 403, nothing
                if status != 405:
                    break
                continue
            told = question.asked_by(walker)
            assert told.status in {301, 403}, (question, told.status)
            if question != nothing and question.method == "GET":
                same(told, nothing.asked_by(walker), question)


def test_the_staff_finds_what_is_there_and_nothing_else(worlds: World) -> None:
    walker, rows = worlds.walkers["everyone"], worlds.alfa.rows
    for found in routes().values():
        if not found.pattern.startswith("staff/") or not found.parameters:
            continue
        for values, right in (
            (rows, _SHOWN),
            (rows | MISSING, _NOT_THERE),
            (rows | MALFORMED, _NOT_THERE),
        ):
            (question, *_posts) = questions(found, values)
            told = question.asked_by(walker)
            assert told.status in right or ROUTES[found.name].enter, (question, told.status)


@pytest.mark.parametrize("scope", sorted(set(Scope) - {Scope.NOTICES_ANSWER}))
def test_a_key_of_ours_opens_exactly_its_scope(worlds: World, scope: Scope) -> None:
    walker = worlds.walkers[f"our {scope}"]
    by_path = {f"/{found.pattern}": found.scopes for found in routes().values() if found.scopes}
    for question, nothing in zip(
        api_questions(worlds.alfa.rows), api_questions(worlds.alfa.rows | MISSING), strict=True
    ):
        method, path = operations()[question.route]
        scopes = by_path[re.sub(r"\{(\w+)\}", r"<str:\1>", path)]
        told = question.asked_by(walker)
        if scopes[method] != scope or OPERATIONS[question.route].of_providers:
            assert told.status == 403, question
            same(told, nothing.asked_by(walker), question)
        else:
            assert told.status != 403, question


def _pairs(worlds: World, found: Iterable[Found]) -> Iterator[tuple[Question, Question]]:
    """What is asked of these routes, each about a row of alfa and about one that does not exist."""
    rows = worlds.alfa.rows
    for each in found:
        yield from zip(questions(each, rows), questions(each, rows | MISSING), strict=True)


def same(one: Answer, other: Answer, question: Question) -> None:
    """Fail, with the first place at which they differ, unless two answers are the same byte for byte."""
    route = ROUTES.get(question.route)
    if one == other or (route and route.varies and one.status == other.status):
        return
    first, second = one.bytes, other.bytes
    at = next(
        (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    near = slice(max(0, at - 80), at + 80)
    pytest.fail(
        f"{question}\n{one.status}: ...{first[near]!r}\n{other.status}: ...{second[near]!r}", pytrace=False
    )
