"""What is filled in alike by the staff and by a provider's own people."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers.openpgp import LARGEST


class CertificateForm(forms.Form):
    """Somebody's public key, pasted or as a file."""

    text = forms.CharField(
        label=gettext_lazy("Public key"),
        help_text=gettext_lazy("From BEGIN PGP PUBLIC KEY BLOCK to END; never a private key."),
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off", "spellcheck": "false"}),
        required=False,
        max_length=LARGEST,
    )
    file = forms.FileField(label=gettext_lazy("Or its file"), required=False, max_length=200)

    def clean(self) -> dict[str, Any]:
        """With what was given, as bytes, in `certificate`. Raises ValidationError."""
        cleaned = super().clean() or self.cleaned_data
        pasted, file = cleaned.pop("text", ""), cleaned.pop("file", None)
        # One byte more than is taken: the service says that it is too much.
        cleaned["certificate"] = file.read(LARGEST + 1) if file else pasted.encode()
        if not cleaned["certificate"]:
            raise forms.ValidationError(_("Paste the key, or choose its file."))
        return cleaned
