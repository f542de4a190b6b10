"""What anybody fills in: shape only, the services decide."""

import re
import secrets
from typing import Any, Final

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.intake import public
from cases.models.report import reason_text
from cases.models.reporter import CODE_LENGTH
from cases.services.receive import Line
from cases.services.reporter import Person

#: What secrets.token_urlsafe(32) makes.
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")
#: Letters that are no part of the alphabet, as people read the digits (Crockford's base 32).
_MISREAD: Final = str.maketrans("OIL", "011", " -‐‑–\t")
_NUMBER_LENGTH: Final = 10


def new_token() -> str:
    """The secret of a form as it is shown."""
    return secrets.token_urlsafe(32)


class ReportForm(forms.Form):
    """One address or some; where they were; words; and, only if chosen, how to be reached."""

    # What is required depends on what is chosen; without JavaScript only we can tell.
    use_required_attribute = False
    ANONYMOUS, REACHABLE = "anonymous", "reachable"

    addresses = forms.CharField(
        label=_("Addresses, one on a line"),
        help_text=_(
            "Copy the address of the page or file from the address bar, if you still have it. "
            "Do not go back to look. At most 20 at a time."
        ),
        strip=False,
        # 20 addresses of the longest kind.
        max_length=165_000,
        error_messages={"required": _("Give at least one address.")},
        widget=forms.Textarea(
            attrs={"rows": 4, "spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
        ),
    )
    referrer = forms.CharField(
        label=_("Where did you come across it?"),
        help_text=_("For instance a site, an app or a group, or the address of the page that led you there."),
        required=False,
        max_length=2_000,
        widget=forms.TextInput(attrs={"spellcheck": "false", "autocomplete": "off"}),
    )
    note = forms.CharField(
        label=_("What should we know?"),
        help_text=_("In a few words, and without describing the images. At most 2,000 characters."),
        required=False,
        max_length=2_000,
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off"}),
    )
    contact = forms.ChoiceField(
        label=_("May we know who you are?"),
        choices=[
            (ANONYMOUS, _("No, I stay anonymous")),
            (REACHABLE, _("Yes, you may contact me if you have a question")),
        ],
        initial=ANONYMOUS,
        widget=forms.RadioSelect,
    )
    name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        error_messages={"required": _("Give an e-mail address, or choose to stay anonymous.")},
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    # Makes a second press of the same form the same report.
    token = forms.CharField(widget=forms.HiddenInput)

    @classmethod
    def sent(cls, data: QueryDict) -> "ReportForm":
        """The form as it was filled in. One without its secret gets a new one: it is a form like any other."""
        filled = data.copy()
        if not _TOKEN.fullmatch(data.get("token", "")):
            filled["token"] = new_token()
        return cls(filled)

    def clean_addresses(self) -> str:
        """Not too many, and at least one of which something can be made; the others are told of by line."""
        text = str(self.cleaned_data["addresses"])
        found = public.lines(text)
        if not found:
            raise forms.ValidationError(gettext("Give at least one address."))
        if len(found) > public.MOST:
            raise forms.ValidationError(
                gettext(
                    "There are %(count)d lines. Send at most %(most)d at a time; the others can go in a next report."
                )
                % {"count": len(found), "most": public.MOST}
            )
        refused = public.refusals(found)
        if len(refused) == len(found):
            raise forms.ValidationError(
                [
                    gettext("Line %(line)d: %(reason)s") % {"line": number, "reason": reason_text(code)}
                    for number, code in refused.items()
                ]
            )
        return text

    def clean_referrer(self) -> str:
        """Words, never material."""
        return self._words("referrer")

    def clean_note(self) -> str:
        """Words, never material."""
        return self._words("note")

    def clean_name(self) -> str:
        """One line."""
        name = str(self.cleaned_data["name"])
        if not name.isprintable():
            raise forms.ValidationError(gettext("There are characters in this name that cannot be used."))
        return self._words("name")

    def clean(self) -> dict[str, Any]:
        """Who wants to be reached says how; of who does not, nothing is kept."""
        data = super().clean() or self.cleaned_data
        if data.get("contact") != self.REACHABLE:
            for field in {"name", "email"} & self.errors.keys():
                del self.errors[field]
            data["name"] = data["email"] = ""
        return data

    @property
    def lines(self) -> list[Line]:
        """The lines of the report. Call it when valid."""
        data = self.cleaned_data
        return public.lines(data["addresses"], referrer=data["referrer"], note=data["note"])

    @property
    def person(self) -> Person:
        """How to reach the reporter; empty for who stays anonymous. Call it when valid."""
        return Person(self.cleaned_data["name"], self.cleaned_data["email"])

    def _words(self, field: str) -> str:
        text = str(self.cleaned_data[field])
        if public.holds_material(text):
            raise forms.ValidationError(
                gettext("This looks like material itself. Never send material; take it out of the text.")
            )
        return text


class FollowForm(forms.Form):
    """The number and the code, as people copy them."""

    number = forms.CharField(
        label=_("Number"),
        help_text=_("It begins with R-."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )
    code = forms.CharField(
        label=_("Code"),
        help_text=_("Twelve letters and digits, in three groups."),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "characters"}
        ),
    )

    def clean_number(self) -> str:
        """As it is stored, or as no number is."""
        number = _copied(self.cleaned_data["number"])
        return f"R-{number.removeprefix('R') if len(number) > _NUMBER_LENGTH else number}"

    def clean_code(self) -> str:
        """As it was given, or as no code is."""
        return _copied(self.cleaned_data["code"])


def _copied(text: str) -> str:
    """Without the spaces and hyphens between the groups, and with the digits that were meant."""
    return text.upper().translate(_MISREAD)


def grouped(code: str) -> str:
    """A code as it is shown: three groups of four."""
    return "-".join(code[place : place + 4] for place in range(0, CODE_LENGTH, 4))
