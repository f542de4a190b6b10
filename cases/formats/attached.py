"""Where the addresses of a message are, and what is attached to it: a few sentences of its text."""

from django.utils.translation import gettext as _

from cases.formats.letter import Letter
from providers.models import Contact


def told(letter: Letter) -> str:
    """In the language of the moment; "" when there is nothing to say."""
    if letter.mode == Contact.Mode.ATTACHMENT:
        return " ".join(_of_addresses(letter))
    said = []
    match letter.mode:
        case Contact.Mode.DEFANGED:
            said.append(
                _("The addresses are written so that no program opens them: read hxxp as http, [.] as a dot.")
            )
        case Contact.Mode.API:
            said.append(
                _(
                    "The full addresses are not in this message, because mail scanners would open them. Fetch them by"
                    " our API, or log in to the portal to read them."
                )
            )
        case _portal:
            said.append(
                _(
                    "The full addresses are not in this message, because mail scanners would open them."
                    " Log in to the portal to read them."
                )
            )
    if "csv" in letter.attaches:
        said.append(_("The attached CSV file has the same lines as this text."))
    return " ".join(said)


def _of_addresses(letter: Letter) -> list[str]:
    formats = Contact.Formats
    reported = len(letter.in_xarf)
    if letter.contact.formats == formats.CSV or not reported:
        said = [_("The full addresses are in the attached CSV file.")] if "csv" in letter.attaches else []
    elif letter.contact.formats == formats.XARF:
        said = [_("The full addresses are in the attached XARF v4 reports (JSON), one for each line.")]
    else:
        said = [
            _(
                "The full addresses are in the attached CSV file, and in XARF v4 reports (JSON), one for each line."
            )
        ]
    left = [str(line.number) for line in letter.lines if line not in letter.in_xarf]
    if left and "xarf" in letter.attaches:
        said.append(
            _("Without an XARF report: line %(lines)s. XARF has no class for what only Dutch law forbids.")
            % {"lines": ", ".join(left)}
        )
        if letter.contact.formats == formats.XARF:
            said.append(_("Log in to the portal to read those addresses."))
    return said
