"""Row-level security: the database keeps a provider among its own rows when the application forgets to (ADR 32)."""

import re
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test import Client

from accounts import rows
from accounts.models import Scope
from accounts.row_security import Anybodys, Own
from cases.models import Content, Dispatch, DispatchLine, Notice, Reply, Sighting
from cases.models.notice import NoticeQuerySet
from cases.services.refused import NotFound
from providers.models import Provider
from tests.factories import (
    ContactFactory,
    DispatchFactory,
    NoticeFactory,
    ProviderFactory,
    SightingFactory,
    UserFactory,
    api_key,
)

CLOSING = "cases.migrations.0045_close_rows_to_other_providers"
#: All that migrations have said of tables so far.
TABLES: dict[str, Own | Anybodys] = dict(import_module(CLOSING).TABLES)


def asked(statement: str, parameters: list[Any] | None = None) -> list[Any]:
    """The first column of an answer."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


def column(table: str, name: str = "count(*)") -> list[Any]:
    """What one column of a whole table holds."""
    return asked(f"SELECT {name} FROM {table}")  # noqa: S608 - names of our own


@pytest.fixture
def alfa(db: None) -> Provider:
    """The one that asks; it has a notice like each of beta's."""
    provider = ProviderFactory(code="alfa", name="Alfa")
    _furnish(provider)
    return provider


@pytest.fixture
def beta(db: None) -> Provider:
    """The other."""
    provider = ProviderFactory(code="beta", name="Beta")
    _furnish(provider)
    return provider


def _furnish(provider: Provider) -> None:
    contact = ContactFactory(provider=provider)
    for _ in range(2):
        notice = NoticeFactory(notified=True, provider=provider)
        SightingFactory(notice=notice)
        dispatch = DispatchFactory(contact=contact)
        dispatch.lines.create(notice=notice, contact=contact)
    NoticeFactory(provider=provider)  # judged, and not sent: nothing that they may know of
    UserFactory(provider_contact=True, provider=provider)
    api_key(Scope.NOTICES_READ, Scope.NOTICES_ANSWER, provider=provider)


@pytest.fixture
def unscoped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The application has forgotten whose rows it shows."""
    monkeypatch.setattr(NoticeQuerySet, "of", lambda self, provider_id: self.all())


def sent(provider: Provider) -> set[str]:
    """References of what a provider may know of."""
    return set(
        Notice.objects.filter(provider=provider, sent_at__isnull=False).values_list("reference", flat=True)
    )


# -- with the first layer switched off -----------------------------------------------------------------------


@pytest.mark.usefixtures("unscoped")
def test_the_portal_shows_its_own_rows_when_every_filter_is_forgotten(alfa: Provider, beta: Provider) -> None:
    client = Client()
    client.force_login(alfa.users.get())
    page = client.get("/portal/?tab=all").content.decode()

    assert {name for name in sent(alfa) | sent(beta) if name in page} == sent(alfa)
    theirs = [client.get(f"/portal/notices/{name}/").status_code for name in sorted(sent(beta))]
    assert theirs == [404, 404]
    assert client.get(f"/portal/notices/{min(sent(alfa))}/").status_code == 200


@pytest.mark.usefixtures("unscoped")
def test_the_portal_records_nothing_about_a_foreign_row_when_every_filter_is_forgotten(
    alfa: Provider, beta: Provider
) -> None:
    client = Client()
    client.force_login(alfa.users.get())
    both = sorted(sent(alfa) | sent(beta))
    client.post("/portal/answers/", {"notice": both, "answer": "acknowledged"})

    assert set(Reply.objects.values_list("notice__reference", flat=True)) == sent(alfa)


@pytest.mark.usefixtures("unscoped")
def test_the_api_shows_its_own_rows_when_every_filter_is_forgotten(alfa: Provider, beta: Provider) -> None:
    _key, secret = api_key(Scope.NOTICES_READ, Scope.NOTICES_ANSWER, provider=alfa)
    client = Client(headers={"Authorization": f"Bearer {secret}"})

    listed = client.get("/api/v1/notices/").json()["results"]
    assert {each["reference"] for each in listed} == sent(alfa)
    assert client.get(f"/api/v1/notices/{min(sent(beta))}/").status_code == 404
    body = {"answers": [{"reference": name, "answer": "acknowledged"} for name in sorted(sent(beta))]}
    told = client.post("/api/v1/notices/answers/", body, content_type="application/json").json()["results"]
    assert {each["outcome"] for each in told} == {"refused"}
    assert not Reply.objects.exists()


# -- what raw statements see ---------------------------------------------------------------------------------


def test_a_raw_statement_sees_the_rows_of_one_provider_and_can_write_no_other(
    alfa: Provider, beta: Provider
) -> None:
    theirs = {
        "cases_sighting": Sighting.objects.filter(notice__provider=alfa),
        "cases_dispatchline": DispatchLine.objects.filter(contact__provider=alfa),
        "cases_content": Content.objects.filter(notices__provider=alfa, notices__sent_at__isnull=False),
        "cases_dispatch": Dispatch.objects.filter(contact__provider=alfa),
    }
    expected = {table: found.count() for table, found in theirs.items()}
    with rows.only_of(alfa.pk):
        assert set(asked("SELECT reference FROM cases_notice")) == sent(alfa)
        for table, name in (
            ("providers_contact", "provider_id"),
            ("accounts_user", "provider_id"),
            ("accounts_apikey", "provider_id"),
        ):
            assert set(column(table, name)) == {alfa.pk}, table
        assert asked("SELECT name FROM providers_provider") == ["Alfa"]
        assert {table: column(table)[0] for table in expected} == expected
        assert min(expected.values()) == 2
        changed = "UPDATE cases_notice SET customer_reference = 'x' RETURNING provider_id"
        assert set(asked(changed)) == {alfa.pk}
        with pytest.raises(DatabaseError, match="row-level security"), transaction.atomic():
            asked("UPDATE cases_notice SET provider_id = %s RETURNING id", [beta.pk])


@pytest.mark.parametrize("setting", [None, "", "0"])
def test_who_works_for_no_provider_sees_no_row(alfa: Provider, setting: str | None) -> None:
    asked("SELECT set_config('role', %s, true)", [rows.ROLE])
    if setting is not None:
        asked("SELECT set_config(%s, %s, true)", [rows.SETTING, setting])
    for table, kept in TABLES.items():
        if isinstance(kept, Own) and table != "audit_event":
            assert column(table) == [0], table
    asked("SELECT set_config('role', 'none', true)")


def test_every_closed_table_can_be_read_by_its_own_policy(alfa: Provider) -> None:
    with rows.only_of(alfa.pk):
        for table in TABLES:
            column(table)


# -- the role ------------------------------------------------------------------------------------------------


def test_the_role_owns_nothing_and_can_neither_log_in_nor_go_around(db: None) -> None:
    assert asked(
        "SELECT rolcanlogin OR rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb FROM pg_roles"
        " WHERE rolname = %s",
        [rows.ROLE],
    ) == [False]
    assert asked(
        "SELECT count(*) FROM pg_shdepend WHERE refobjid = %s::regrole AND deptype = 'o'", [rows.ROLE]
    ) == [0]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE cases_notice DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own ON cases_notice",
        "CREATE TABLE mine (id int)",
        "TRUNCATE cases_reply",
        "DELETE FROM cases_notice",
        "UPDATE audit_event SET act = 'x'",
        "SELECT 1 FROM cases_reporter",
        "SELECT 1 FROM cases_reportline",
        "SELECT 1 FROM accounts_recovery",
        "SELECT 1 FROM mfa_authenticator",
    ],
)
def test_the_role_may_do_nothing_else(alfa: Provider, statement: str) -> None:
    with (
        pytest.raises(DatabaseError, match=r"permission denied|must be owner"),
        rows.only_of(alfa.pk),
    ):
        asked(statement)


def test_neither_an_end_nor_a_fault_leaves_anything_on_the_connection(alfa: Provider) -> None:
    house = asked("SELECT current_user")
    with rows.only_of(alfa.pk):
        assert asked("SELECT current_user") == [rows.ROLE]
    with pytest.raises(ZeroDivisionError), rows.only_of(alfa.pk):
        raise ZeroDivisionError
    with pytest.raises(DatabaseError), rows.only_of(alfa.pk):
        asked("SELECT 1/0")
    assert asked("SELECT current_user") == house
    assert asked("SELECT coalesce(current_setting(%s, true), '')", [rows.SETTING]) == [""]


# -- nothing is forgotten ------------------------------------------------------------------------------------


def test_every_table_that_the_role_may_read_has_a_policy_or_a_reason(db: None) -> None:
    may = set(
        asked(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') AND relnamespace = 'public'::regnamespace"
            " AND has_any_column_privilege(%s, oid, 'SELECT, INSERT, UPDATE')",
            [rows.ROLE],
        )
    )
    kept = set(
        asked("SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace")
    )
    policies = set(
        asked("SELECT tablename FROM pg_policies WHERE policyname = 'own' AND %s = ANY(roles)", [rows.ROLE])
    )
    anybodys = {table for table, kept_as in TABLES.items() if isinstance(kept_as, Anybodys)}

    assert may == set(TABLES), "say in a migration by close_rows whose the rows of this table are"
    assert may - anybodys == kept == policies


def test_a_table_that_is_anybodys_leads_to_no_provider(db: None) -> None:
    models = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    for table, kept in TABLES.items():
        if isinstance(kept, Anybodys):
            assert kept.because
            leads = [field.name for field in models[table]._meta.fields if field.related_model is not None]
            assert not leads, table


def test_the_policy_of_the_list_is_a_condition_of_its_index(alfa: Provider) -> None:
    with rows.only_of(alfa.pk):
        plan = "\n".join(
            asked(
                "EXPLAIN SELECT id FROM cases_notice WHERE provider_id = %s AND sent_at IS NOT NULL"
                " AND state IN ('received', 'notified', 'escalated') ORDER BY due_at, id LIMIT 50",
                [alfa.pk],
            )
        )
    assert not re.search(r"SubPlan|InitPlan", plan)


def test_no_transaction_waits_while_an_endpoint_is_called(
    alfa: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint = ContactFactory(provider=alfa, channel="webhook", address="https://hooks.alfa.example/in")
    client = Client()
    client.force_login(UserFactory(provider_admin=True, provider=alfa))
    seen: list[Any] = []

    def called(**_what: Any) -> None:
        seen.extend(asked("SELECT current_user"))
        raise NotFound("nothing")

    monkeypatch.setattr("portal.views.webhooks.services.try_out", called)
    assert client.post(f"/portal/webhooks/{endpoint.pk}/test/").status_code == 404
    assert seen == asked("SELECT current_user")
