"""What may be encrypted with, and what is refused in words: the library itself refuses nothing."""

import functools
from datetime import UTC, datetime, timedelta

import pysequoia
import pytest
from pysequoia.packet import PacketPile, Tag

from providers import openpgp
from providers.openpgp import LARGEST, Unusable

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def pair(name: str = "Abuse desk <abuse@alfa.example>", days: int = 0) -> tuple[pysequoia.Tsk, bytes]:
    """A private key, and its certificate as its owner would mail it; the same for the same words."""
    return _made(name, days)


@functools.cache
def _made(name: str, days: int) -> tuple[pysequoia.Tsk, bytes]:
    validity = {"validity_seconds": days * 86_400} if days else {}
    key = pysequoia.Tsk.generate(name, **validity)
    return key, str(key.extract_certificate()).encode()


def test_a_key_is_read_from_its_text_and_what_is_encrypted_only_its_owner_reads() -> None:
    key, text = pair()
    read = openpgp.read(text, now=NOW)

    assert read.fingerprint == key.extract_certificate().fingerprint.upper()
    assert read.user_ids == ("Abuse desk <abuse@alfa.example>",)
    assert read.expires_at is None
    sealed = openpgp.encrypt("hallo ü".encode(), certificate=read.data, now=NOW)
    assert sealed.startswith(b"-----BEGIN PGP MESSAGE-----")
    assert pysequoia.decrypt(sealed, decryptor=key.decryptor()).bytes == "hallo ü".encode()
    assert openpgp.read(read.data, now=NOW) == read, "binary is read as well"


def test_words_around_the_key_do_no_harm() -> None:
    _key, text = pair()
    assert openpgp.read(b"Dear hotline,\n" + text + b"\nregards", now=NOW).fingerprint


def test_a_key_that_ends_is_used_until_then_and_not_after() -> None:
    _key, text = pair(days=10)
    read = openpgp.read(text, now=NOW)
    assert read.expires_at is not None
    # The library dates a key when it makes it, which is after this file was read.
    assert timedelta(days=9) < read.expires_at - NOW
    assert read.expires_at <= datetime.now(UTC) + timedelta(days=10)

    openpgp.encrypt(b"x", certificate=read.data, now=read.expires_at - timedelta(seconds=1))
    with pytest.raises(Unusable, match="expired"):
        openpgp.encrypt(b"x", certificate=read.data, now=read.expires_at)
    with pytest.raises(Unusable, match="expired"):
        openpgp.read(text, now=read.expires_at)


def test_a_revoked_key_is_refused_although_the_library_would_take_it() -> None:
    key, _text = pair()
    certificate = key.extract_certificate()
    revoked = bytes(certificate) + bytes(certificate.revoke(key.certifier()))
    assert pysequoia.encrypt(b"x", recipients=[pysequoia.Cert.from_bytes(revoked)])

    with pytest.raises(Unusable, match="revoked"):
        openpgp.read(revoked, now=NOW)
    with pytest.raises(Unusable, match="revoked"):
        openpgp.encrypt(b"x", certificate=revoked, now=NOW)


def test_a_key_that_only_signs_is_refused() -> None:
    key, _text = pair()
    packets = list(PacketPile.from_bytes(bytes(key.extract_certificate())))
    first_subkey = next(n for n, packet in enumerate(packets) if packet.tag == Tag.PublicSubkey)
    signs = pysequoia.Cert.from_packets(packets[:first_subkey])

    with pytest.raises(Unusable, match="only signs"):
        openpgp.read(bytes(signs), now=NOW)


def test_a_private_key_is_refused_and_the_person_told_what_that_means() -> None:
    key, _text = pair()
    for given in (bytes(key), str(key).encode()):
        with pytest.raises(Unusable, match=r"private key\. It was not kept"):
            openpgp.read(given, now=NOW)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (b"", "no OpenPGP key"),
        (b"junk", "no OpenPGP key"),
        (b"\x99" * 500, "no OpenPGP key"),
        (
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n",
            "no OpenPGP key",
        ),
        (b"x" * (LARGEST + 1), "64 kB"),
    ],
    ids=["nothing", "junk", "broken packets", "broken armour", "too large"],
)
def test_what_is_no_key_is_refused_without_a_trace_of_the_librarys_code(given: bytes, said: str) -> None:
    with pytest.raises(Unusable, match=said) as refused:
        openpgp.read(given, now=NOW)
    assert "backtrace" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_two_keys_at_once_are_refused() -> None:
    with pytest.raises(Unusable, match="more than one"):
        openpgp.read(pair()[1] + pair("Other <other@alfa.example>")[1], now=NOW)


def test_a_name_in_a_key_cannot_turn_the_page_around() -> None:
    _key, text = pair("Desk \u202e<moc.elpmaxe@esuba>\n" + "x" * 500)
    (name,) = openpgp.read(text, now=NOW).user_ids
    assert "\u202e" not in name
    assert "\n" not in name
    assert len(name) == 200
