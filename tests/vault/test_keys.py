"""Sealed text opens only in its place, only with our keys, and equality is asked without reading."""

import json
import uuid
from typing import Any

import pytest

from cases.models import Content
from tests.factories import ContentFactory
from vault import keys
from vault.__main__ import main
from vault.keys import BadKeys, CannotUnseal
from vault.sealed import Sealed, new_id

PLACE = "cases_content.url_sealed.1"


@pytest.fixture
def document() -> str:
    """A fresh ENCRYPTION_KEYS value."""
    return keys.new()


def test_what_is_sealed_opens_in_its_place(document: str) -> None:
    ring = keys.load(document)
    sealed = ring.seal("https://forum.example/é", context=PLACE)

    assert b"forum" not in sealed
    assert ring.unseal(sealed, context=PLACE) == "https://forum.example/é"
    assert ring.seal("x", context=PLACE) != ring.seal("x", context=PLACE)


@pytest.mark.parametrize(
    "elsewhere", ["cases_content.url_sealed.2", "cases_content.raw_sealed.1", "cases_reply.url_sealed.1", ""]
)
def test_moved_to_another_row_column_or_table_it_does_not_open(document: str, elsewhere: str) -> None:
    ring = keys.load(document)

    with pytest.raises(CannotUnseal) as problem:
        ring.unseal(ring.seal("secret", context=PLACE), context=elsewhere)
    assert "secret" not in str(problem.value)


@pytest.mark.parametrize("tamper", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_tampered_with_it_does_not_open(document: str, tamper: Any) -> None:
    ring = keys.load(document)

    with pytest.raises(CannotUnseal):
        ring.unseal(tamper(ring.seal("secret", context=PLACE)), context=PLACE)


def test_another_hotlines_keys_open_nothing(document: str) -> None:
    sealed = keys.load(document).seal("secret", context=PLACE)

    with pytest.raises(CannotUnseal):
        keys.load(keys.new()).unseal(sealed, context=PLACE)


def test_after_a_rotation_old_text_opens_new_text_uses_the_new_key_and_equality_stays(document: str) -> None:
    before, after = keys.load(document), keys.load(keys.rotated(document))
    old, new = before.seal("old", context=PLACE), after.seal("new", context=PLACE)

    assert after.unseal(old, context=PLACE) == "old"
    assert after.unseal(new, context=PLACE) == "new"
    with pytest.raises(CannotUnseal):
        before.unseal(new, context=PLACE)
    assert before.blind("x", purpose="url") == after.blind("x", purpose="url")
    twice = keys.load(keys.rotated(keys.rotated(document)))
    assert twice.unseal(old, context=PLACE) == "old"


def test_a_blind_index_is_equal_for_equal_text_of_one_purpose_and_needs_the_key(document: str) -> None:
    ring = keys.load(document)

    assert ring.blind("x", purpose="url") == ring.blind("x", purpose="url")
    assert len(ring.blind("x", purpose="url")) == 32
    others = {
        ring.blind("y", purpose="url"),
        ring.blind("x", purpose="host"),
        keys.load(keys.new()).blind("x", purpose="url"),
    }
    assert len(others | {ring.blind("x", purpose="url")}) == 4


def test_the_keys_of_a_ring_are_not_shown_by_accident(document: str) -> None:
    index = json.loads(document)["index"]

    assert index not in repr(keys.load(document))
    assert repr(bytes.fromhex(index)) not in repr(keys.load(document))


def broken(document: str, **changes: Any) -> str:
    return json.dumps(json.loads(document) | changes)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: "",
        lambda d: "hunter2",
        lambda d: "{}",
        lambda d: "[]",
        lambda d: "null",
        lambda d: "5",
        lambda d: '"hunter2"',
        lambda d: broken(d, index="hunter2"),
        lambda d: broken(d, index="ab"),
        lambda d: broken(d, index=5),
        lambda d: broken(d, index=None),
        lambda d: broken(d, aead={}),
        lambda d: broken(d, aead={"primaryKeyId": 1, "key": []}),
        lambda d: broken(d, aead={"primaryKeyId": 1, "key": [{"hunter2": 1}]}),
        lambda d: broken(d, aead=[]),
        lambda d: broken(d, aead="hunter2"),
        lambda d: d[: len(d) // 2],
    ],
)
def test_keys_that_cannot_be_used_are_refused_without_showing_them(document: str, spoil: Any) -> None:
    with pytest.raises(BadKeys, match=r"^ENCRYPTION_KEYS cannot be used") as problem:
        keys.load(spoil(document))
    assert "hunter2" not in str(problem.value)


def test_the_command_makes_rotates_and_says_how(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import io

    assert main(["new"]) == 0
    made = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(made))
    assert main(["rotate"]) == 0
    keys.load(capsys.readouterr().out)
    assert main(["secret"]) == 0
    assert len(capsys.readouterr().out.strip()) >= 50
    assert main(["something"]) == 2


# -- the attribute of a model ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_ciphertext_that_a_dba_moves_to_another_row_does_not_open() -> None:
    victim, decoy = ContentFactory(), ContentFactory()
    Content.objects.filter(pk=victim.pk).update(url_sealed=decoy.url_sealed)

    with pytest.raises(CannotUnseal):
        _ = Content.objects.get(pk=victim.pk).url


@pytest.mark.django_db
def test_a_ciphertext_that_a_dba_moves_to_another_column_does_not_open() -> None:
    content = ContentFactory()
    Content.objects.filter(pk=content.pk).update(raw_sealed=content.url_sealed)

    with pytest.raises(CannotUnseal):
        _ = Content.objects.get(pk=content.pk).raw


def test_a_text_cannot_be_sealed_before_its_row_has_a_name() -> None:
    class Row:
        note_sealed: bytes | None = None
        id: uuid.UUID | None = None
        note = Sealed("note_sealed")

    with pytest.raises(ValueError, match="before id is known"):
        Row().note = "x"


def test_ids_are_of_version_7_and_sort_by_time() -> None:
    ids = [new_id() for _ in range(3)]

    assert all(each.version == 7 and each.variant == uuid.RFC_4122 for each in ids)
    assert [each.int >> 80 for each in ids] == sorted(each.int >> 80 for each in ids)
