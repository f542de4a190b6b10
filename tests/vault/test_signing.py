"""What we sign is checked with the published keys only, also after the key was changed."""

import io
import json
from typing import Any

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet, OKPKey

from vault import signing
from vault.__main__ import main
from vault.signing import BadReceiptKeys

KIND = "test+jwt"


def read(signed: str, published: dict[str, Any]) -> bytes:
    """The payload, by the library's own reader."""
    keys = KeySet.import_key_set(published)
    return jws.deserialize_compact(signed, keys, algorithms=[signing.ALGORITHM]).payload


def test_the_published_keys_check_what_was_signed_and_hold_no_secret() -> None:
    document = signing.new()
    signer, secret = signing.load(document), json.loads(document)["keys"][0]["d"]
    signed = signer.sign(b'{"a":1}', kind=KIND)

    assert read(signed, signer.published) == b'{"a":1}'
    assert signed == signer.sign(b'{"a":1}', kind=KIND)
    assert secret not in json.dumps(signer.published)
    assert secret not in repr(signer)
    other = signing.load(signing.new())
    named_alike = {"keys": [{**other.published["keys"][0], "kid": signer.key_id}]}
    with pytest.raises(BadSignatureError):
        read(signed, named_alike)


def test_after_a_rotation_old_receipts_are_still_checked_and_the_old_secret_is_gone() -> None:
    old_document = signing.new()
    old, document = signing.load(old_document), signing.rotated(old_document)
    new = signing.load(document)

    assert new.key_id != old.key_id
    assert [key["kid"] for key in new.published["keys"]] == [new.key_id, old.key_id]
    assert [("d" in key) for key in json.loads(document)["keys"]] == [True, False]
    for signer in (old, new):
        assert read(signer.sign(b"x", kind=KIND), new.published) == b"x"


def spoiled(**told: Any) -> str:
    """A document whose key says something else."""
    (key,) = json.loads(signing.new())["keys"]
    return json.dumps({"keys": [{name: value for name, value in (key | told).items() if value is not None}]})


@pytest.mark.parametrize(
    "document",
    [
        "",
        "hunter2",
        "{}",
        "[]",
        '{"keys": []}',
        '{"keys": ["hunter2"]}',
        spoiled(d=None),
        spoiled(kid="hunter2"),
        spoiled(kid=None),
        spoiled(x="hunter2"),
        json.dumps({"keys": [OKPKey.generate_key("X25519").as_dict(private=True)]}),
        json.dumps({"keys": json.loads(signing.new())["keys"] * 2}),
    ],
)
def test_keys_that_cannot_sign_are_refused_without_showing_them(document: str) -> None:
    with pytest.raises(BadReceiptKeys, match=r"^RECEIPT_KEYS cannot be used") as problem:
        signing.load(document)
    assert "hunter2" not in str(problem.value)


def test_the_command_makes_and_rotates_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["receipts"]) == 0
    made = capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(made))
    assert main(["rotate-receipts"]) == 0
    assert len(signing.load(capsys.readouterr().out).published["keys"]) == 2
