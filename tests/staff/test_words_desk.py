"""The desk of the words: a draft, its preview, and the next version in force."""

import pytest
from django.test import Client

from accounts.models import User
from cases.models import Term, Vocabulary
from tests.staff.conftest import Browser

pytestmark = pytest.mark.django_db
DESK = "/staff/cases/vocabulary/"


@pytest.fixture
def desk(browser: Browser, lead: User) -> Client:
    """The lead's browser, with a draft."""
    client = browser(lead)
    client.post(f"{DESK}draft/")
    return client


def term(code: str, version: int = 2) -> Term:
    return Term.objects.get(vocabulary=version, question="sex", code=code)


def test_a_version_is_drafted_previewed_and_put_in_force(desk: Client) -> None:
    pk = term("both").pk
    desk.post(f"{DESK}term/{pk}/", {f"{pk}-label_nl": "allebei", f"{pk}-label_en": "either"})
    desk.post(f"{DESK}term/{pk}/move/", {"way": "up"})
    added = {"question": "sex", "code": "unclear", "label_nl": "onduidelijk", "label_en": "unclear"}
    desk.post(f"{DESK}add/term/", added)

    page = desk.get(DESK)
    text = page.content.decode()
    assert "You see the draft of version 2" in text
    group = next(group for group in page.context["preview"].groups if group.name == "sex")
    assert [choice.label for choice in group.choices] == [
        "not determined",
        "female",
        "either",
        "male",
        "unclear",
    ]
    assert Vocabulary.objects.in_force().first() == Vocabulary.objects.get(version=1)

    desk.post(f"{DESK}2/in-force/")
    assert Vocabulary.objects.in_force().first() == Vocabulary.objects.get(version=2)
    assert "Version 2 is in force" in desk.get(DESK).content.decode()


def test_what_would_make_it_unusable_is_refused_in_words(desk: Client) -> None:
    pk = term("both").pk

    refused = desk.post(
        f"{DESK}term/{pk}/", {f"{pk}-label_nl": "meisje", f"{pk}-label_en": "girl"}, follow=True
    )
    empty = desk.post(f"{DESK}term/{pk}/", {f"{pk}-label_nl": "", f"{pk}-label_en": "girl"})

    assert "cannot be told apart" in refused.content.decode()
    assert empty.status_code == 422
    assert term("both").label_en == "both"


def test_a_draft_is_thrown_away(desk: Client) -> None:
    desk.post(f"{DESK}discard/")

    assert Vocabulary.objects.count() == 1
    assert "Draft the next version" in desk.get(DESK).content.decode()


def test_the_functional_admin_may_and_the_supervisor_only_reads(
    browser: Browser, functional_admin: User, in_charge: Client
) -> None:
    assert browser(functional_admin).post(f"{DESK}draft/").status_code == 302
    assert in_charge.post(f"{DESK}draft/").status_code == 403
    assert "Put version 2 in force" not in in_charge.get(DESK).content.decode()
