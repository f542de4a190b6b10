"""A file of answers, as it is sent."""

from typing import Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

#: bytes; 5,000 answers with a long note each.
LARGEST: Final = 20 * 1024 * 1024


class SheetForm(forms.Form):
    """The file; `once` makes a second press of the same page the same sheet."""

    file = forms.FileField(
        label=_("File of answers"),
        help_text=_("CSV in UTF-8, with a header; between the columns semicolons, commas or tabs."),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv"}),
    )
    once = forms.CharField(max_length=40, widget=forms.HiddenInput)

    def clean_file(self) -> "UploadedFile[bytes]":
        """Not larger than LARGEST."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if file.size is None or file.size > LARGEST:
            raise forms.ValidationError(gettext("The file is larger than 20 MB: send it in parts."))
        return file
