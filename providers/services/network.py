"""Whose a prefix is, by our own list."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.models import Network
from providers.services.unfit import Unfit


def keep_network(
    *, prefix: str, provider_id: int, asn: int, country: str, name: str, by: Actor, now: datetime
) -> Network:
    """Say whose a prefix is; a prefix that is known already goes to this provider from now on."""
    with transaction.atomic():
        fields = {"provider_id": provider_id, "asn": asn, "country": country, "name": name}
        network, is_new = Network.objects.update_or_create(prefix=prefix, defaults=fields)
        data = {"prefix": prefix, "provider": network.provider.code, "new": is_new}
        record("keep", "network", network.pk, by=by, at=now, data=data)
    return network


def remove_network(*, network_id: int, by: Actor, now: datetime) -> None:
    """Forget a prefix; attributions that were made with it stay as they are. Raises Unfit."""
    with transaction.atomic():
        network = Network.objects.select_for_update().filter(pk=network_id).first()
        if network is None:
            raise Unfit(_("There is no such network any more."))
        data = {"prefix": str(network.prefix), "provider": network.provider.code}
        record("remove", "network", network.pk, by=by, at=now, data=data)
        network.delete()
