from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """People and machines that may come in, and what each role may do."""

    name = "accounts"
    verbose_name = _("Accounts")
