"""The key ring: seals text into bytes that open only in the row they were sealed for.

AEAD comes from Tink (AES-256-GCM); the associated data is "table.column.row", so a ciphertext that is
moved to another row or column does not open. Equality is asked of a keyed hash (HMAC-SHA256, RFC 2104),
the blind index: without the key nobody can test a guess against a stolen dump.
"""

import hashlib
import hmac
import json
import secrets
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import tink
from django.conf import settings
from tink import aead, secret_key_access

INDEX_KEY_BYTES = 32


class BadKeys(Exception):
    """ENCRYPTION_KEYS cannot be used; the text never shows them."""


class CannotUnseal(Exception):
    """A sealed value does not open here: wrong key, wrong row, or it was tampered with."""


@dataclass(frozen=True)
class Ring:
    """The keys of this process."""

    aead: Any
    index_key: bytes = field(repr=False)

    def seal(self, text: str, *, context: str) -> bytes:
        """Encrypt `text` for the place `context` ("table.column.row")."""
        sealed: bytes = self.aead.encrypt(text.encode(), context.encode())
        return sealed

    def unseal(self, blob: bytes, *, context: str) -> str:
        """Raises CannotUnseal when `blob` was not sealed for `context` by one of our keys."""
        try:
            text: bytes = self.aead.decrypt(bytes(blob), context.encode())
        except tink.TinkError as error:
            raise CannotUnseal(
                f"A sealed value does not open in its place ({context.rsplit('.', 1)[0]})."
            ) from error
        return text.decode()

    def blind(self, text: str, *, purpose: str) -> bytes:
        """32 bytes that are equal for equal `text` within one `purpose`."""
        return hmac.digest(self.index_key, f"{purpose}\0{text}".encode(), hashlib.sha256)


def new() -> str:
    """A fresh ENCRYPTION_KEYS value: one line of JSON."""
    aead.register()
    handle = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    return json.dumps({"aead": _dump(handle), "index": secrets.token_hex(INDEX_KEY_BYTES)})


def rotated(document: str) -> str:
    """The same document with a new primary key for sealing; all older keys still unseal."""
    keys = json.loads(document)
    aead.register()
    handle = tink.json_proto_keyset_format.parse(json.dumps(keys["aead"]), secret_key_access.TOKEN)
    builder = tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM)
    old, fresh = json.loads(_serialize(handle)), json.loads(_serialize(builder))
    keys["aead"] = {"primaryKeyId": fresh["primaryKeyId"], "key": [*old["key"], *fresh["key"]]}
    return json.dumps(keys)


def load(document: str) -> Ring:
    """Read an ENCRYPTION_KEYS value. Raises BadKeys."""
    try:
        keys = json.loads(document)
        index_key = bytes.fromhex(keys["index"])
        aead.register()
        handle = tink.json_proto_keyset_format.parse(json.dumps(keys["aead"]), secret_key_access.TOKEN)
        primitive = handle.primitive(aead.Aead)
    except (ValueError, KeyError, TypeError, tink.TinkError) as error:
        raise BadKeys("ENCRYPTION_KEYS cannot be used: make them with `python -m vault new`.") from error
    if len(index_key) != INDEX_KEY_BYTES:
        raise BadKeys("ENCRYPTION_KEYS cannot be used: the index key must be 32 bytes.")
    return Ring(aead=primitive, index_key=index_key)


@cache
def ring() -> Ring:
    """The ring of this process; without usable keys the process ends with one line."""
    try:
        return load(settings.HOST.encryption_keys)
    except BadKeys as problem:
        sys.stderr.write(f"takedown: {problem}\n")
        raise SystemExit(1) from None


def _serialize(handle: Any) -> str:
    text: str = tink.json_proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return text


def _dump(handle: Any) -> Any:
    return json.loads(_serialize(handle))
