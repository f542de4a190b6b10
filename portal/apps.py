from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PortalConfig(AppConfig):
    """Doors for providers: their notices, their answers."""

    name = "portal"
    verbose_name = _("Provider portal")
