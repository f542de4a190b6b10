#!/usr/bin/env python3
"""Check a receipt of a notice-and-takedown hotline, without asking anybody.

    python3 verify_receipt.py RECEIPT KEYS [--address FILE --address-key KEY]

RECEIPT is the file that you downloaded, KEYS the hotline's published keys (/.well-known/jwks.json). The receipt does
not say the address that it is about; with the address in FILE and the address key that you got beside the receipt,
this also checks that it is about that one. Needs Python 3.8 or later and the package `cryptography`.
Exit status: 0 it is genuine, 1 it is not, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

KIND, ALGORITHM = "takedown-receipt+jwt", "Ed25519"


class NotGenuine(Exception):
    """Why the receipt proves nothing."""


def decoded(text: str) -> bytes:
    """The bytes of base64url without padding, in its one spelling (RFC 7515, section 2)."""
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != text:
        raise ValueError("not the one spelling")
    return raw


def verified(receipt: str, keys: Any) -> Any:
    """What the receipt says, if one of the published `keys` signed exactly that. Raises NotGenuine."""
    try:
        head, body, signature = receipt.split(".")
        header, raw_signature = json.loads(decoded(head)), decoded(signature)
        key_id, algorithm, kind, critical = (header.get(name) for name in ("kid", "alg", "typ", "crit"))
    except (ValueError, AttributeError):
        raise NotGenuine("This file is no receipt, or it is damaged.") from None
    if (algorithm, kind, critical) != (ALGORITHM, KIND, None):
        raise NotGenuine("This is a signed text of another kind, and no receipt.")
    try:
        key = next((each for each in keys["keys"] if each.get("kid") == key_id), None)
        public = key and Ed25519PublicKey.from_public_bytes(decoded(key["x"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotGenuine("The file of keys cannot be read: download it again.") from None
    if public is None:
        raise NotGenuine("It is signed with a key that is not among these: download the keys again.")
    try:
        public.verify(raw_signature, f"{head}.{body}".encode())
        return json.loads(decoded(body))
    except (InvalidSignature, ValueError):
        raise NotGenuine("The signature does not fit: somebody has changed this receipt.") from None


def check_address(said: Any, address: str, address_key: str) -> None:
    """Raises NotGenuine unless the receipt is about this address."""
    digest = hmac.new(bytes.fromhex(address_key), address.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(digest, said["address_digest"] or ""):
        raise NotGenuine(
            "The receipt is genuine, but about another address, or the address key is another's."
        )


def main(arguments: Sequence[str]) -> int:
    """Print what the receipt says; returns the exit status."""
    parser = argparse.ArgumentParser(description="Check a receipt of the hotline, without asking anybody.")
    parser.add_argument("receipt", metavar="RECEIPT", type=Path)
    parser.add_argument("keys", metavar="KEYS", type=Path)
    parser.add_argument("--address", metavar="FILE", type=Path, help="a file that holds the address")
    parser.add_argument("--address-key", metavar="KEY", type=str.strip)
    options = parser.parse_args(arguments)
    if (options.address is None) != (options.address_key is None):
        parser.error("--address and --address-key belong together.")
    try:
        receipt, keys = (
            options.receipt.read_text("ascii").strip(),
            json.loads(options.keys.read_text("utf-8")),
        )
        said = verified(receipt, keys)
        if options.address is not None:
            check_address(said, options.address.read_text("utf-8").strip(), options.address_key)
    except NotGenuine as reason:
        sys.stderr.write(f"NOT GENUINE. {reason}\n")
        return 1
    except (OSError, ValueError) as problem:
        sys.stderr.write(f"A file or the address key cannot be read: {problem}\n")
        return 2
    sys.stdout.write(json.dumps(said, indent=2, ensure_ascii=False) + "\n")
    about = " It is about this address." if options.address is not None else ""
    sys.stdout.write(f"GENUINE. {said['iss']} signed exactly this.{about}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
