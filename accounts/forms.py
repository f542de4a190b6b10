"""A password, as whoever gets one types it."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User


class PasswordForm(forms.Form):
    """A new password, typed twice; `user` is whose it will be, if that is known."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        help_text=password_validators_help_text_html,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("The same password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, user: User | None = None, **named: Any) -> None:
        super().__init__(*args, **named)
        self.user = user

    def clean(self) -> dict[str, Any]:
        """Both the same, and strong enough. Raises ValidationError."""
        data = super().clean() or self.cleaned_data
        if data.get("password") and data["password"] != data.get("again"):
            self.add_error("again", _("The two passwords differ."))
        elif data.get("password"):
            try:
                validate_password(data["password"], self.user)
            except forms.ValidationError as fault:
                self.add_error("password", fault)
        return data
