"""The same path without a browser: the commands and files of the interface, the sweeps, and the API."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.models import ApiKey
from audit.record import Actor
from cases.models import Notice, Source
from cases.services import assess, rules
from cases.tasks import SWEEPS
from local.demo.hosts import RESOLVER_FILE
from providers.models import Contact, Provider
from providers.sources import resolver
from providers.sources.resolver import StaticResolver
from tests.factories import UserFactory
from tests.mailserver import MailServer

DATA = Path(__file__).resolve().parent.parent / "data"
WORLD = RESOLVER_FILE.parent
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def world(monkeypatch: pytest.MonkeyPatch) -> None:
    """The six providers, their networks, and the demo's name server."""
    call_command("import_providers", str(WORLD / "providers.csv"), stdout=io.StringIO())
    call_command("import_networks", str(WORLD / "networks.csv"), stdout=io.StringIO())
    answers = StaticResolver(RESOLVER_FILE)
    monkeypatch.setattr(resolver, "resolver", lambda: answers)
    monkeypatch.setattr("cases.tasks.resolver", lambda: answers)


def sweep() -> None:
    """One pass of everything."""
    for task in SWEEPS.values():
        task()


def test_a_thousand_reported_lines_have_the_outcomes_and_the_providers_that_were_foretold() -> None:
    receipt = io.StringIO()
    call_command(
        "import_reports",
        str(DATA / "reports-1000.csv"),
        source="partner",
        stdout=receipt,
        stderr=io.StringIO(),
    )
    outcomes = {
        row["line"]: row["outcome"] for row in csv.DictReader(io.StringIO(receipt.getvalue()), delimiter=";")
    }
    with (DATA / "reports-1000.expected.csv").open() as lines:
        expected = {row["line"]: row["outcome"] for row in csv.DictReader(lines, delimiter=";")}
    assert outcomes == expected
    assert Counter(outcomes.values()) == {"new": 820, "duplicate": 120, "quarantined": 30, "rejected": 30}

    again = io.StringIO()
    call_command(
        "import_reports", str(DATA / "reports-1000.csv"), source="partner", stdout=again, stderr=io.StringIO()
    )
    assert Notice.objects.count() == 820
    assert again.getvalue() == receipt.getvalue()

    SWEEPS["routes"]()
    with (DATA / "hosts.csv").open(newline="") as lines:
        homes = {row["host"]: row["expected_provider"] for row in csv.DictReader(lines, delimiter=";")}
    notices = Notice.objects.select_related("content", "provider")
    assert {(n.content.host, n.provider.code if n.provider else "") for n in notices} == {
        (n.content.host, homes[n.content.host]) for n in notices
    }


def test_a_report_by_api_becomes_a_removal_and_its_neighbour_an_escalation(
    mail_server: MailServer, host: Callable[..., None], client: Client
) -> None:
    host(
        grouping_window=timedelta(0),
        removal_gap=timedelta(0),
        removal_span=timedelta(0),
        relay_is_final_hop=True,
    )
    Contact.objects.update(known_since=timezone.now())
    keys = {
        name: ApiKey.mint(name=name, scopes=scopes, provider=provider)[1]
        for name, scopes, provider in (
            ("partner", ["reports:write"], None),
            ("checker", ["sightings:write"], None),
            ("alfa", ["notices:read", "notices:answer"], Provider.objects.get(code="alfa")),
        )
    }

    def ask(method: str, path: str, key: str, body: object = None) -> dict[str, object]:
        answer = client.generic(
            method,
            f"/api/v1/{path}",
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            headers={"authorization": f"Bearer {keys[key]}"},
        )
        assert answer.status_code in {200, 201}, answer.content
        return answer.json()  # type: ignore[no-any-return]

    assert Source.objects.filter(code="partner").exists()
    urls = ["http://alfa.live.example/a.html", "http://bravo.live.example/b.html"]
    taken = ask("POST", "reports/", "partner", {"source": "partner", "lines": [{"url": url} for url in urls]})
    assert [line["outcome"] for line in taken["lines"]] == ["new", "new"]  # type: ignore[attr-defined]
    analyst = Actor.of(UserFactory(analyst=True))
    for pk in Notice.objects.values_list("pk", flat=True):
        assess.assess(notice_id=pk, legal_class="baseline", by=analyst, now=timezone.now())
    now = timezone.now()
    rules.set_term(term=timedelta(milliseconds=1), valid_from=now, by=analyst, now=now)
    SWEEPS["routes"]()
    SWEEPS["dispatches"]()
    assert sum(mail_server.copies().values()) == 2

    listed = ask("GET", "notices/?state=notified", "alfa")["results"]
    (reference,) = [row["reference"] for row in listed]  # type: ignore[attr-defined]
    said = ask(
        "POST", "notices/answers/", "alfa", {"answers": [{"reference": reference, "answer": "removed"}]}
    )
    assert said["results"][0]["outcome"] == "recorded"  # type: ignore[index]
    for _look in range(3):
        checks = ask("GET", "checks/due/?limit=10", "checker")["checks"]
        assert reference in [check["notice"] for check in checks]  # type: ignore[attr-defined]
        seen = {
            "notice": reference, "seen_at": timezone.now().isoformat(), "outcome": "gone", "vantage": "nl-1"
        }  # fmt: skip
        ask("POST", "sightings/", "checker", {"sightings": [seen]})
        Notice.objects.filter(state="notified").update(next_check_at=timezone.now(), check_leased_until=None)
    assert Notice.objects.get(reference=reference).state == Notice.State.REMOVED

    sweep()
    assert Notice.objects.exclude(reference=reference).get().state == Notice.State.ESCALATED
    call_command("verify", stdout=io.StringIO())
