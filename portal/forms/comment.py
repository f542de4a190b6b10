"""The provider's words on its own figures."""

from django import forms
from django.utils.translation import gettext_lazy as _

from cases.models.scorecard import LONGEST_COMMENT


class CommentForm(forms.Form):
    """A comment on one quarter; the service says which quarters there are."""

    text = forms.CharField(
        label=_("Your comment"),
        help_text=_(
            "The hotline reads it beside these figures, before anything is published. Write no address of content."
        ),
        max_length=LONGEST_COMMENT,
        widget=forms.Textarea(attrs={"rows": 5}),
    )
