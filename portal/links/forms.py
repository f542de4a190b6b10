"""An answer on the page of a message: about the ticked lines."""

from typing import Any, Final

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from cases.models import Reply
from cases.services.links import ANSWERS
from portal.forms.answer import AnswerForm

_LABELS: Final = dict(Reply.Answer.choices)


class LinkAnswerForm(AnswerForm):
    """The answers that can be given without a log-in."""

    answer = forms.ChoiceField(
        label=_("Your answer"),
        choices=[(answer.value, _LABELS[answer.value]) for answer in ANSWERS],
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # To forward it names a customer, which is for people who are logged in.
        for name in ("forwarded_to", "expected_by", "knows_late"):
            del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """At least one line is ticked."""
        data = super().clean()
        if not self.references:
            self.add_error(None, gettext("Choose at least one notice."))
        return data

    @property
    def references(self) -> list[str]:
        """The lines that were ticked, each once."""
        named = self.data.getlist("notice") if self.is_bound and hasattr(self.data, "getlist") else []
        return list(dict.fromkeys(named))
