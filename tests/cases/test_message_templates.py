"""The words of messages in versions: two people, a real notice, and never a change of what was in force."""

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from audit.models import Event
from audit.record import Actor
from cases.models import Dispatch, MessageTemplate
from cases.services import message_templates as templates
from cases.services.refused import Invalid, NotFound, WrongState
from cases.services.sending import deliver_due
from tests.conftest import FixedResolver
from tests.factories import NOON, NoticeFactory, ProviderFactory
from tests.mailserver import MailServer

pytestmark = pytest.mark.django_db

WRITER, READER = Actor("user", "1"), Actor("user", "2")
OTHER_WORDS = {
    "opening": "Good day, {provider}.",
    "ask": "Within {hours} hours, please.",
    "answer": "Reply or log in: {portal}",
    "objection": "Tell us.",
    "closing": "Thank you.",
}


def drafted(kind: str = "first", language: str = "en", **words: str) -> MessageTemplate:
    """A draft of WRITER's."""
    draft = templates.begin_draft(kind=kind, language=language, by=WRITER, now=NOON)
    return templates.save_draft(template_id=draft.pk, words=OTHER_WORDS | words, by=WRITER, now=NOON)


def in_force(draft: MessageTemplate, by: Actor = READER) -> MessageTemplate:
    """The draft, read on the newest notice and put in force."""
    templates.preview(template_id=draft.pk, reference="", by=by, now=NOON)
    return templates.put_in_force(template_id=draft.pk, seal=draft.seal, by=by, now=NOON)


def test_other_words_go_out_once_they_are_in_force_and_the_message_names_their_version(
    mail_server: MailServer, static_resolver: FixedResolver
) -> None:
    before = NoticeFactory(routed=True)
    deliver_due(resolver=static_resolver, by=READER, clock=lambda: NOON)
    in_force(drafted())
    after = NoticeFactory(routed=True)
    deliver_due(resolver=static_resolver, by=READER, clock=lambda: NOON)

    old, new = (Dispatch.objects.get(lines__notice=notice) for notice in (before, after))
    versions = MessageTemplate.objects.in_bulk([old.template_id, new.template_id])
    assert [versions[each.template_id].version for each in (old, new)] == [1, 2]
    assert "Good day, Alfa Hosting." in new.body
    assert "Good day" not in old.body


def test_words_that_leave_out_all_they_may_still_make_a_message_that_counts() -> None:
    notice = NoticeFactory(routed=True)
    draft = drafted(opening="x", ask="{hours}", answer="{portal}", objection="x", closing="")
    said = " ".join(templates.preview(template_id=draft.pk, reference="", by=READER, now=NOON).body.split())

    for words in (
        "WITHIN 24 HOURS",
        "Number: NTD-2026-000000 (first notice)",
        "from the moment your mail server accepts this message",
        "Europe/Amsterdam",
        "To: Alfa Hosting, abuse@alfa.example",
        "From: Meldpunt (test), Postbus 1",
        "Reply to: meldpunt@hotline.example",
        "Why you: 192.0.2.0/24",
        "Do not copy, view, store or forward",
        "Article 252",
        "in good faith",
        "confidential",
        notice.reference,
    ):
        assert words in said, words


def test_whoever_wrote_the_words_does_not_put_them_in_force() -> None:
    NoticeFactory(routed=True)

    with pytest.raises(templates.YourOwn):
        in_force(drafted(), by=WRITER)


def test_nobody_puts_words_in_force_that_they_have_not_read_on_a_notice() -> None:
    NoticeFactory(routed=True)
    draft = drafted()
    templates.preview(template_id=draft.pk, reference="", by=WRITER, now=NOON)

    with pytest.raises(WrongState, match="real notice"):
        templates.put_in_force(template_id=draft.pk, seal=draft.seal, by=READER, now=NOON)


def test_words_that_changed_since_they_were_read_are_read_again() -> None:
    NoticeFactory(routed=True)
    draft = drafted()
    templates.preview(template_id=draft.pk, reference="", by=READER, now=NOON)
    changed = drafted(closing="Something else.")

    with pytest.raises(WrongState, match="changed"):
        templates.put_in_force(template_id=draft.pk, seal=draft.seal, by=READER, now=NOON)
    with pytest.raises(WrongState, match="real notice"):
        templates.put_in_force(template_id=draft.pk, seal=changed.seal, by=READER, now=NOON)


def test_faulty_words_are_not_saved_and_each_fault_names_its_part_and_line() -> None:
    with pytest.raises(templates.Faulty) as refusal:
        drafted(ask="Soon.\n{nobody}")

    assert [(fault.part, fault.line) for fault in refusal.value.faults] == [("ask", 2), ("ask", 0)]
    assert MessageTemplate.objects.get(in_force_at=None).ask != "Soon.\n{nobody}"


def test_there_is_one_draft_of_a_kind_and_language() -> None:
    assert drafted().pk == templates.begin_draft(kind="first", language="en", by=READER, now=NOON).pk
    assert drafted(language="nl").version == 2
    assert MessageTemplate.objects.filter(in_force_at=None).count() == 2


def test_a_draft_is_read_on_the_notice_that_is_named_with_its_address_masked() -> None:
    wanted = NoticeFactory(routed=True, content__url="https://forum.example/gallery/2026/secret.jpg")
    NoticeFactory(routed=True)
    read = templates.preview(
        template_id=drafted().pk, reference=f" {wanted.reference.lower()} ", by=READER, now=NOON
    )

    assert read.reference == wanted.reference
    assert "forum.example/…et.jpg" in read.body
    assert "gallery" not in read.body
    event = Event.objects.get(act="preview")
    assert event.data == {"kind": "first", "language": "en", "version": 2, "notice": wanted.reference}


def test_words_in_another_language_than_the_providers_are_read_in_their_own() -> None:
    NoticeFactory(routed=True, provider=ProviderFactory(language="en"))
    template = MessageTemplate.objects.get(kind="first", language="nl")

    read = templates.preview(template_id=template.pk, reference="", by=READER, now=NOON)
    assert "Maak het materiaal binnen 24 uur ontoegankelijk" in read.body


def test_a_notice_that_such_a_message_cannot_be_about_is_refused() -> None:
    notice = NoticeFactory(routed=True)
    reminder = MessageTemplate.objects.get(kind="reminder", language="en")

    with pytest.raises(Invalid):
        templates.preview(template_id=reminder.pk, reference=notice.reference, by=READER, now=NOON)
    with pytest.raises(NotFound):
        templates.preview(template_id=reminder.pk, reference="N-NOTTHERE00", by=READER, now=NOON)
    with pytest.raises(Invalid, match="no notice yet"):
        templates.preview(template_id=reminder.pk, reference="", by=READER, now=NOON)


def test_one_person_can_go_back_to_earlier_words_and_a_draft_stays_beside_it() -> None:
    NoticeFactory(routed=True)
    in_force(drafted())
    draft = drafted(closing="Not yet.")
    first = MessageTemplate.objects.get(kind="first", language="en", version=1)

    again = templates.go_back(template_id=first.pk, by=WRITER, now=NOON)

    assert (again.version, again.restores, again.words) == (3, 1, first.words)
    assert MessageTemplate.objects.of("first", "en").in_force()[0].pk == again.pk
    assert MessageTemplate.objects.get(pk=draft.pk).version == 4
    with pytest.raises(WrongState):
        templates.go_back(template_id=again.pk, by=WRITER, now=NOON)
    with pytest.raises(WrongState):
        templates.go_back(template_id=draft.pk, by=WRITER, now=NOON)


def test_the_database_changes_and_deletes_no_version_that_was_in_force() -> None:
    template = MessageTemplate.objects.get(kind="first", language="en")

    for change in (
        lambda: MessageTemplate.objects.filter(pk=template.pk).update(closing="x"),
        lambda: MessageTemplate.objects.filter(pk=template.pk).delete(),
    ):
        with pytest.raises((DatabaseError, IntegrityError)), transaction.atomic():
            change()


def test_all_that_is_done_with_words_is_written_down() -> None:
    NoticeFactory(routed=True)
    in_force(drafted())
    templates.discard_draft(template_id=drafted(closing="Later.").pk, by=WRITER, now=NOON)

    acts = Event.objects.filter(subject="message_template").order_by("pk").values_list("act", "actor")
    assert list(acts) == [
        ("draft", "user:1"),
        ("change", "user:1"),
        ("preview", "user:2"),
        ("put_in_force", "user:2"),
        ("draft", "user:1"),
        ("change", "user:1"),
        ("discard", "user:1"),
    ]
