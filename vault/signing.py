"""Signing what others check without us: JSON Web Signatures (RFC 7515) by Ed25519 (RFC 8037, RFC 9864).

RECEIPT_KEYS is a JWK Set (RFC 7517). Its first key signs; of those behind it only the public half is kept, so
that what they signed can still be checked. A key is named by its thumbprint (RFC 7638).
"""

import json
import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from django.conf import settings
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

ALGORITHM: Final = "Ed25519"


class BadReceiptKeys(Exception):
    """RECEIPT_KEYS cannot be used; the text never shows them."""


@dataclass(frozen=True)
class Signer:
    """The key that signs, and all that may have signed before: `published` is their public JWK Set."""

    key: OKPKey = field(repr=False)
    published: dict[str, Any]

    @property
    def key_id(self) -> str:
        """The name of the key that signs."""
        return self.key.thumbprint()

    def sign(self, payload: bytes, *, kind: str) -> str:
        """The compact serialization. The same payload under the same key gives the same text."""
        header = {"alg": ALGORITHM, "kid": self.key_id, "typ": kind}
        return jws.serialize_compact(header, payload, self.key, algorithms=[ALGORITHM])


def new() -> str:
    """A fresh RECEIPT_KEYS value: one line of JSON."""
    return json.dumps({"keys": [_made()]})


def rotated(document: str) -> str:
    """The same document with a new key that signs; of the others only the public half stays. Raises BadReceiptKeys."""
    return json.dumps({"keys": [_made(), *load(document).published["keys"]]})


def load(document: str) -> Signer:
    """Read a RECEIPT_KEYS value. Raises BadReceiptKeys."""
    try:
        keys = [_read(each) for each in json.loads(document)["keys"]]
    except (ValueError, KeyError, TypeError, AttributeError, JoseError) as error:
        raise BadReceiptKeys(_HOW) from error
    if not keys or not keys[0].is_private or len({key.kid for key in keys}) < len(keys):
        raise BadReceiptKeys(_HOW)
    return Signer(keys[0], dict(KeySet(list(keys)).as_dict(private=False)))


@cache
def signer() -> Signer:
    """The keys of this process; without usable ones the process ends with one line."""
    try:
        return load(settings.HOST.receipt_keys)
    except BadReceiptKeys as problem:
        sys.stderr.write(f"takedown: {problem}\n")
        raise SystemExit(1) from None


_HOW: Final = "RECEIPT_KEYS cannot be used: make them with `python -m vault receipts`."


def _made() -> dict[str, Any]:
    key = OKPKey.generate_key("Ed25519", {"use": "sig", "alg": ALGORITHM})
    return {**key.as_dict(private=True), "kid": key.thumbprint()}


def _read(told: dict[str, Any]) -> OKPKey:
    """One key of the set. Raises ValueError for another kind of key, and for one under another's name."""
    key = OKPKey.import_key(told)
    if key.curve_name != "Ed25519" or told["kid"] != key.thumbprint():
        raise ValueError("not an Ed25519 key under its thumbprint")
    return key
