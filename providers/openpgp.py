"""Certificates ("public keys") of OpenPGP (RFC 9580): what is said of one, and encryption to it.

pysequoia reads, checks signatures and encrypts. It also encrypts to what is revoked or has run out, without a word
(measured with 0.1.35), so which key may be used at an instant is decided here. Its errors hold traces of its code:
they go no further.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pysequoia
from django.utils.translation import gettext as _
from pysequoia.packet import Packet, PacketPile, SignatureType, Tag

#: A key with its certifications by others is some kilobytes; nobody needs a picture in it.
LARGEST: Final = 64 * 1024  # bytes
_SECRET: Final = (Tag.SecretKey, Tag.SecretSubkey)
_KEYS: Final = (Tag.PublicKey, Tag.PublicSubkey)
_REVOKES: Final = (SignatureType.KeyRevocation, SignatureType.SubkeyRevocation)
# The signatures that say what the primary key is for, and until when.
_OF_PRIMARY: Final = (
    SignatureType.DirectKey,
    SignatureType.GenericCertification,
    SignatureType.PersonaCertification,
    SignatureType.CasualCertification,
    SignatureType.PositiveCertification,
)


class Unusable(Exception):
    """Nothing can be encrypted with this. The text is for the person who brought it."""


@dataclass(frozen=True)
class Certificate:
    """What somebody compares and approves. `expires_at`: from then on nothing can be encrypted with it."""

    fingerprint: str
    user_ids: tuple[str, ...]
    expires_at: datetime | None
    data: bytes = field(repr=False)


@dataclass(frozen=True)
class _Key:
    """A key of a certificate with all that was signed about it, its user ids included."""

    packets: Sequence[Packet]

    @property
    def is_revoked(self) -> bool:
        return any(
            packet.signature_type in _REVOKES for packet in self.packets if packet.tag == Tag.Signature
        )

    @property
    def _binding(self) -> Packet | None:
        """The newest word of its owner on what it is for."""
        primary = self.packets[0].tag == Tag.PublicKey
        kinds = _OF_PRIMARY if primary else (SignatureType.SubkeyBinding,)
        said = [
            packet
            for packet in self.packets
            if packet.tag == Tag.Signature
            and packet.signature_type in kinds
            and packet.signature_created is not None
            and packet.key_flags is not None
        ]
        return max(said, key=lambda packet: packet.signature_created.timestamp(), default=None)  # type: ignore[union-attr]

    @property
    def encrypts(self) -> bool:
        flags = self._binding.key_flags if self._binding else None
        return flags is not None and (flags.transport_encryption or flags.storage_encryption)

    @property
    def expires_at(self) -> datetime | None:
        made, validity = self.packets[0].key_created, self._binding and self._binding.key_validity_period
        return made + validity if made and validity else None


def read(text: bytes, *, now: datetime) -> Certificate:
    """The one certificate in `text`, armoured or binary, that can be used at `now`. Raises Unusable."""
    if len(text) > LARGEST:
        raise Unusable(
            _("This is larger than 64 kB: export the key without pictures and signatures of others.")
        )
    try:
        if any(packet.tag in _SECRET for packet in PacketPile.from_bytes(text)):
            raise Unusable(
                _(
                    "This is a private key. It was not kept; whoever sent it should make a new one. Paste the public key."
                )
            )
        found = pysequoia.Cert.split_bytes(text)
    except RuntimeError:
        found = []
    if not found:
        raise Unusable(_("This is no OpenPGP key: paste all of it, from BEGIN PGP PUBLIC KEY BLOCK to END."))
    if len(found) > 1:
        raise Unusable(_("There is more than one key in it: give one."))
    certificate = found[0]
    usable = _usable(certificate, now=now)
    ends = [key.expires_at for key in usable]
    last = None if None in ends else max(end for end in ends if end is not None)
    return Certificate(
        fingerprint=certificate.fingerprint.upper(),
        user_ids=tuple(_shown(str(user_id)) for user_id in certificate.user_ids),
        expires_at=min((end for end in (certificate.expiration, last) if end is not None), default=None),
        data=bytes(certificate),
    )


def encrypt(message: bytes, *, certificate: bytes, now: datetime) -> bytes:
    """The message, armoured, for whoever has the key. Raises Unusable when it can no longer be used at `now`."""
    try:
        whole = pysequoia.Cert.from_bytes(certificate)
        usable = _usable(whole, now=now)
        # Only the keys that may be used are handed on: the library would take any.
        first = next(_keys(whole))
        others = [key for key in usable if key.packets[0].tag != Tag.PublicKey]
        packets = [packet for key in (first, *others) for packet in key.packets]
        return bytes(pysequoia.encrypt(message, recipients=[pysequoia.Cert.from_packets(packets)]))
    except RuntimeError:
        raise Unusable(_("Nothing can be encrypted with this key.")) from None


def _usable(certificate: pysequoia.Cert, *, now: datetime) -> list[_Key]:
    """The keys that encrypt at `now`; at least one. Raises Unusable."""
    if certificate.is_revoked:
        raise Unusable(_("This key was revoked by its owner."))
    keys = [key for key in _keys(certificate) if key.encrypts]
    if not keys:
        raise Unusable(_("This key only signs: nothing can be encrypted with it."))
    living = [key for key in keys if not key.is_revoked and (key.expires_at is None or key.expires_at > now)]
    if not living or (certificate.expiration is not None and certificate.expiration <= now):
        raise Unusable(_("This key has expired."))
    return living


def _keys(certificate: pysequoia.Cert) -> Iterator[_Key]:
    """The primary key, then the others."""
    packets: list[Packet] = []
    for packet in PacketPile.from_bytes(bytes(certificate)):
        if packet.tag in _KEYS and packets:
            yield _Key(packets)
            packets = []
        packets.append(packet)
    if packets:
        yield _Key(packets)


def _shown(user_id: str) -> str:
    """On one line, without what would turn the page around, and not endless."""
    return "".join(char if char.isprintable() else "�" for char in user_id)[:200]
