"""A message encrypted for a contact (RFC 3156): what any server on the way sees is the number and whom it is for."""

from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP

from django.utils.translation import gettext as _

from cases.formats.files import NoKey
from providers import openpgp

#: What only the reader needs; the rest stands outside, because servers and our own tokens need it.
_INSIDE = ("content-type", "content-transfer-encoding", "content-disposition", "mime-version")


def encrypted(mail: EmailMessage, *, certificate: bytes, number: str, now: datetime) -> EmailMessage:
    """`mail` with the same headers around it, but for the subject, and all of its text and files encrypted.

    The true subject goes along inside, where mail programs look for it (protected headers). Raises NoKey.
    """
    inner = MIMEPart(policy=SMTP)
    for name in mail:
        if name.lower() in _INSIDE:
            inner[name] = mail[name]
    inner["Subject"] = mail["Subject"]
    inner.set_param("protected-headers", "v1")
    inner.set_payload(mail.get_payload())
    try:
        sealed = openpgp.encrypt(inner.as_bytes(policy=SMTP), certificate=certificate, now=now)
    except openpgp.Unusable as fault:
        raise NoKey(str(fault)) from None

    outer = EmailMessage(policy=SMTP)
    for name, value in mail.items():
        if name.lower() not in _INSIDE and name.lower() != "subject":
            outer[name] = value
    outer["Subject"] = f"[{number}] " + _("Encrypted message")
    outer["Content-Type"] = "multipart/encrypted"
    outer.set_param("protocol", "application/pgp-encrypted")
    version = MIMEPart(policy=SMTP)
    version.set_content(b"Version: 1\r\n", "application", "pgp-encrypted", cte="7bit")
    data = MIMEPart(policy=SMTP)
    data.set_content(
        sealed, "application", "octet-stream", cte="7bit", filename="encrypted.asc", disposition="inline"
    )
    outer.set_payload([version, data])
    return outer
