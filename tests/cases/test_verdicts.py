"""A claim of removal is answered by the first look that can tell, and the answer comes with a signed receipt."""

import base64
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from cases.formats import signed_receipt
from cases.models import Notice, Receipt, Verdict
from cases.services import observe, verdicts
from cases.services.answers import Answer, answer_many
from cases.services.due_checks import lease_checks
from cases.services.observe import Seen
from cases.services.refused import WrongState
from providers.models import Provider
from tests.factories import NOON, SYSTEM, NoticeFactory, ProviderFactory
from vault import signing

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
CLAIMED = NOON + HOUR


def claim(*notices: Notice, at: datetime = CLAIMED, answer: str = "removed") -> list[str]:
    """The provider says that they are removed; returns what became of it."""
    said = [Answer(notice.reference, answer) for notice in notices]
    outcomes = answer_many(provider_id=notices[0].provider_id, answers=said, by=SYSTEM, now=at)
    return [outcome.outcome for outcome in outcomes]


def look(notice: Notice, at: datetime, outcome: str, *, heard_at: datetime | None = None) -> Notice:
    """One sighting; returns the notice as it is then."""
    seen = Seen(notice.reference, at, outcome, "checker-nl", http_status=404 if outcome == "gone" else 200)
    observe.observe(sightings=[seen], by=SYSTEM, now=heard_at or at)
    return Notice.objects.get(pk=notice.pk)


def told(notice: Notice) -> list[str]:
    """What was answered, in order."""
    return list(notice.verdicts.values_list("answer", flat=True))


def claimed() -> Notice:
    """With its provider, who says that it is removed."""
    notice: Notice = NoticeFactory(notified=True)
    assert claim(notice) == ["recorded"]
    return notice


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        ("gone", "confirmed"),
        ("changed", "confirmed"),
        ("online", "still_reachable"),
        ("blocked", "cannot_tell"),
        ("unknown", "cannot_tell"),
    ],
)
def test_the_first_look_after_a_claim_answers_it_and_moves_no_state(outcome: str, answer: str) -> None:
    notice = look(claimed(), CLAIMED + MINUTE, outcome)

    assert (notice.claim_answer, notice.state) == (answer, "notified")
    verdict = notice.verdicts.get()
    assert (verdict.answer, verdict.at, verdict.state) == (answer, CLAIMED + MINUTE, "notified")
    assert verdict.look == notice.sightings.get()
    assert verdict.reply == notice.replies.get()
    event = Event.objects.get(subject="notice", subject_id=notice.pk, act="answer_claim")
    assert event.data == {"claim_answer": answer, "receipt": verdict.reference}


def test_a_look_from_before_the_claim_answers_nothing_and_the_check_stays_due() -> None:
    notice = look(claimed(), CLAIMED - MINUTE, "online", heard_at=CLAIMED + MINUTE)

    assert (notice.claim_answer, told(notice)) == ("waiting", [])
    assert notice.next_check_at == NOON


def test_removal_is_proven_by_the_usual_rule_and_then_said_again_with_a_receipt_of_its_own() -> None:
    notice = claimed()
    for minutes in (1, 6, 11):
        notice = look(notice, CLAIMED + minutes * MINUTE, "gone")

    assert (notice.state, told(notice)) == ("removed", ["confirmed", "proven"])
    said = says(notice.verdicts.last())
    assert said["verdict"] == "removal_proven"
    assert said["notice"]["gone_since"] == "2026-11-24T13:01:00.000000Z"
    assert [each["outcome"] for each in said["looks"]] == ["gone"] * 3


def test_the_run_that_proves_a_removal_stands_on_its_receipt_also_when_it_began_before_the_claim() -> None:
    notice: Notice = NoticeFactory(notified=True)
    look(notice, CLAIMED - 10 * MINUTE, "gone")
    look(notice, CLAIMED - 5 * MINUTE, "gone")
    claim(notice)
    notice = look(notice, CLAIMED + MINUTE, "gone")

    assert told(notice) == ["proven"]
    assert len(says(notice.verdicts.get())["looks"]) == 3


def test_each_turn_is_an_answer_of_its_own_and_silence_is_none() -> None:
    notice = claimed()
    for minutes, outcome in enumerate(
        ("unknown", "blocked", "online", "unknown", "gone", "unknown", "online")
    ):
        look(notice, CLAIMED + (minutes + 1) * MINUTE, outcome)

    assert told(notice) == ["cannot_tell", "still_reachable", "confirmed", "still_reachable"]


def test_while_looks_cannot_tell_they_come_less_and_less_often_but_at_least_as_usual() -> None:
    notice = claimed()
    assert look(notice, CLAIMED + MINUTE, "unknown").next_check_at == CLAIMED + 4 * MINUTE
    assert look(notice, CLAIMED + 20 * MINUTE, "blocked").next_check_at == CLAIMED + 40 * MINUTE
    assert look(notice, CLAIMED + 3 * HOUR, "unknown").next_check_at == CLAIMED + 4 * HOUR


def test_a_claim_can_be_made_again_once_we_have_seen_it_after_all() -> None:
    notice = claimed()
    assert claim(notice, at=CLAIMED + MINUTE) == ["unchanged"]
    look(notice, CLAIMED + 2 * MINUTE, "online")

    assert claim(notice, at=CLAIMED + 3 * MINUTE, answer="already_gone") == ["recorded"]
    again = look(notice, CLAIMED + 4 * MINUTE, "gone")

    assert told(again) == ["still_reachable", "confirmed"]
    assert [says(verdict)["claim"]["answer"] for verdict in again.verdicts.all()] == [
        "removed",
        "already_gone",
    ]
    assert claim(notice, at=CLAIMED + 5 * MINUTE) == ["unchanged"]


def test_a_withdrawn_notice_answers_no_claim_any_more() -> None:
    notice = NoticeFactory(withdrawn=True, claimed_removed_at=CLAIMED)
    assert look(notice, CLAIMED + MINUTE, "gone").claim_answer == "waiting"
    assert not Verdict.objects.exists()


# -- Which checks go first ---------------------------------------------------------------------------


def test_a_claims_check_goes_before_older_ones_also_when_a_checker_has_it_already() -> None:
    older = NoticeFactory(notified=True, next_check_at=NOON)
    notice = NoticeFactory(notified=True, next_check_at=NOON + MINUTE, check_leased_until=CLAIMED + HOUR)
    claim(notice)

    assert [each.notice for each in lease_checks(limit=2, by=SYSTEM, now=CLAIMED)] == [
        notice.reference,
        older.reference,
    ]
    assert lease_checks(limit=2, by=SYSTEM, now=CLAIMED) == []


def test_claims_by_the_thousand_leave_a_quarter_of_the_checks_to_the_rest() -> None:
    older = [NoticeFactory(notified=True, next_check_at=NOON) for _ in range(3)]
    claims = [NoticeFactory(notified=True, next_check_at=CLAIMED + HOUR) for _ in range(9)]
    claim(*claims)

    leased = [each.notice for each in lease_checks(limit=8, by=SYSTEM, now=CLAIMED)]
    assert leased[:6] == [notice.reference for notice in claims[:6]]
    assert leased[6:] == [notice.reference for notice in older[:2]]


# -- What a person does ------------------------------------------------------------------------------


def test_what_a_person_accepts_leaves_the_queue_until_a_look_says_something_else() -> None:
    notice = look(claimed(), CLAIMED + MINUTE, "online")
    assert list(Notice.objects.contradicted()) == [notice]

    verdicts.accept(notice_id=notice.pk, by=SYSTEM, now=CLAIMED + HOUR)
    assert not Notice.objects.contradicted().exists()
    assert look(notice, CLAIMED + 2 * HOUR, "online").claim_answer == "accepted"
    assert look(notice, CLAIMED + 3 * HOUR, "gone").claim_answer == "confirmed"

    assert told(notice) == ["still_reachable", "accepted", "confirmed"]
    said = says(notice.verdicts.get(answer="accepted"))
    assert (said["verdict"], said["decided_by"]) == ("cannot_tell", "person")
    assert [each["outcome"] for each in said["looks"]] == ["online"]


def test_what_nobody_claims_or_a_look_has_confirmed_cannot_be_accepted() -> None:
    unclaimed, confirmed = NoticeFactory(notified=True), look(claimed(), CLAIMED + MINUTE, "gone")
    for notice in (unclaimed, confirmed):
        with pytest.raises(WrongState):
            verdicts.accept(notice_id=notice.pk, by=SYSTEM, now=CLAIMED + HOUR)


def test_a_person_has_it_looked_at_now_as_long_as_it_is_with_the_provider() -> None:
    notice = NoticeFactory(notified=True, next_check_at=NOON + 9 * HOUR, check_leased_until=NOON + 9 * HOUR)
    verdicts.check_again(notice_id=notice.pk, by=SYSTEM, now=CLAIMED)
    assert [each.notice for each in lease_checks(limit=5, by=SYSTEM, now=CLAIMED)] == [notice.reference]

    with pytest.raises(WrongState):
        verdicts.check_again(notice_id=NoticeFactory(withdrawn=True).pk, by=SYSTEM, now=CLAIMED)


def test_a_claim_that_no_look_could_answer_waits_for_a_person_after_its_time() -> None:
    unseen, blocked = claimed(), look(claimed(), CLAIMED + MINUTE, "blocked")
    look(claimed(), CLAIMED + MINUTE, "gone")
    before, after = CLAIMED + 4 * HOUR - MINUTE, CLAIMED + 4 * HOUR

    assert not Notice.objects.untold(now=before, within=4 * HOUR).exists()
    waiting = Notice.objects.untold(now=after, within=4 * HOUR).order_by("pk")
    assert list(waiting) == [unseen, blocked]


# -- The receipt -------------------------------------------------------------------------------------


def says(verdict: Verdict | None) -> dict[str, Any]:
    """What stands in the receipt of a verdict, unchecked."""
    assert verdict is not None
    body = verdict.receipt.signed.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.fixture
def receipt() -> Verdict:
    """A claim that a look confirmed."""
    provider = ProviderFactory(code="alfa", name="Alfa Hosting B.V.")
    notice = NoticeFactory(
        notified=True, provider=provider, content__url="https://forum.example/a/secret.jpg"
    )
    claim(notice)
    return look(notice, CLAIMED + MINUTE, "gone").verdicts.get()


def check(
    folder: Path, signed: str, published: object, *more: str, address: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the script that providers get, in a process that knows nothing of us."""
    (folder / "receipt.jwt").write_text(signed)
    (folder / "keys.json").write_text(json.dumps(published))
    if address is not None:
        (folder / "address.txt").write_text(f"{address}\n")
        more = ("--address", str(folder / "address.txt"), *more)
    script = settings.BASE_DIR / "static" / "portal" / "verify_receipt.py"
    command = [
        sys.executable,
        "-I",
        str(script),
        str(folder / "receipt.jwt"),
        str(folder / "keys.json"),
        *more,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={}, cwd=folder)


def test_a_receipt_says_who_claimed_what_when_and_what_was_seen_from_where_but_no_address(
    receipt: Verdict, tmp_path: Path
) -> None:
    done = check(tmp_path, receipt.receipt.signed, signing.signer().published)

    assert (done.returncode, done.stderr) == (0, "")
    printed, verdict = done.stdout.rstrip().rsplit("\n", 1)
    assert verdict == f"GENUINE. {settings.BASE_URL} signed exactly this."
    said = json.loads(printed)
    assert said == {
        "iss": settings.BASE_URL,
        "iat": int((CLAIMED + MINUTE).timestamp()),
        "jti": receipt.reference,
        "sub": receipt.notice.reference,
        "version": 1,
        "provider": {"code": "alfa", "name": "Alfa Hosting B.V."},
        "claim": {
            "answer": "removed",
            "received_at": "2026-11-24T13:00:00.000000Z",
            "says_it_happened_at": None,
        },
        "verdict": "confirmed",
        "decided_by": "check",
        "decided_at": "2026-11-24T13:01:00.000000Z",
        "looks": [
            {
                "seen_at": "2026-11-24T13:01:00.000000Z",
                "outcome": "gone",
                "http_status": 404,
                "vantage": "checker-nl",
            }
        ],
        "notice": {
            "state": "notified",
            "sent_at": "2026-11-24T12:00:00.000000Z",
            "notified_at": "2026-11-24T12:00:00.000000Z",
            "due_at": "2026-11-25T12:00:00.000000Z",
            "gone_since": None,
        },
        "address_digest": said["address_digest"],
    }
    assert "forum.example" not in printed
    assert "secret" not in printed


def test_who_knows_the_address_and_the_address_key_can_show_what_the_receipt_is_about(
    receipt: Verdict, tmp_path: Path
) -> None:
    keys, url = signing.signer().published, receipt.notice.content.url
    own = signed_receipt.address_key(receipt.reference).hex()
    other = signed_receipt.address_key("V-0000000000").hex()

    done = check(tmp_path, receipt.receipt.signed, keys, "--address-key", own, address=url)
    assert done.returncode == 0
    assert done.stdout.endswith("It is about this address.\n")
    for key, address in ((other, url), (own, url + "x")):
        done = check(tmp_path, receipt.receipt.signed, keys, "--address-key", key, address=address)
        assert done.returncode == 1
        assert "about another address" in done.stderr


def test_a_receipt_that_was_tampered_with_or_signed_by_another_key_is_not_genuine(
    receipt: Verdict, tmp_path: Path
) -> None:
    signed, published = receipt.receipt.signed, signing.signer().published
    head, body, signature = signed.split(".")
    forger = signing.load(signing.new())
    under_our_name = {"keys": [{**forger.published["keys"][0], "kid": signing.signer().key_id}]}
    for text, keys, why in (
        (f"{head}.{body[:-4]}AAAA.{signature}", published, "somebody has changed this receipt"),
        (f"{head}.{body}.{'A' * 86}", published, "somebody has changed this receipt"),
        (signed, under_our_name, "somebody has changed this receipt"),
        (signed, forger.published, "not among these"),
        (signing.signer().sign(b"{}", kind="other+jwt"), published, "of another kind"),
        (f"{head}.{body}", published, "no receipt"),
        ("hello", published, "no receipt"),
        (signed, {"keys": "none"}, "keys cannot be read"),
    ):
        done = check(tmp_path, text, keys)
        assert done.returncode == 1, text
        assert done.stdout == ""
        assert done.stderr.startswith("NOT GENUINE. "), done.stderr
        assert why in done.stderr


def test_an_address_that_does_not_open_holds_up_no_answer(receipt: Verdict) -> None:
    notice = claimed()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE cases_content DISABLE TRIGGER USER")
        cursor.execute("UPDATE cases_content SET url_sealed = 'x' WHERE id = %s", [notice.content_id])
        cursor.execute("ALTER TABLE cases_content ENABLE TRIGGER USER")
    assert told(look(notice, CLAIMED + MINUTE, "gone")) == ["confirmed"]
    assert says(notice.verdicts.get())["address_digest"] is None


def test_answering_many_claims_costs_as_many_statements_as_answering_one() -> None:
    provider: Provider = ProviderFactory(code="alfa")

    def statements(count: int) -> int:
        notices = [NoticeFactory(notified=True, provider=provider) for _ in range(count)]
        claim(*notices)
        seen = [Seen(notice.reference, CLAIMED + MINUTE, "gone", "checker-nl") for notice in notices]
        with CaptureQueriesContext(connection) as spent:
            observe.observe(sightings=seen, by=SYSTEM, now=CLAIMED + MINUTE)
        return len(spent)

    assert statements(1) == statements(12)
    assert Receipt.objects.count() == 13
