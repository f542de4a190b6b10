"""Headers that are kept give the bytes that the library's own would."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy

from cases.formats.headers import POLICY


def test_kept_headers_give_the_same_bytes_each_time() -> None:
    library = _made(SMTP)
    assert [_made(POLICY), _made(POLICY)] == [library, library]


def _made(policy: EmailPolicy) -> bytes:
    mail = EmailMessage(policy=policy)
    mail["From"] = Address("Meldpunt Kinderporno – Éénmalig, with a name that folds", "m", "hotline.example")
    mail["To"] = Address(addr_spec="abuse@hoster.example")
    mail["Subject"] = (
        "[NTD-2026-000001] Melding: illegale inhoud op uw netwerk – binnen 24 uur, en nog meer woorden"
    )
    mail["Message-ID"] = "<ntd-2026-000001.bench@hotline.example>"
    mail.set_content("é" * 100 + "\n", charset="utf-8", cte="quoted-printable")
    mail.add_attachment("a,b\n", subtype="csv", charset="utf-8", cte="base64", filename="lines.csv")
    mail.set_boundary("the-same")
    return mail.as_bytes(policy=SMTP)
