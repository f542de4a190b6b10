from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProvidersConfig(AppConfig):
    """Who can remove what, and how to reach them."""

    name = "providers"
    verbose_name = _("Providers")
