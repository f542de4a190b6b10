"""On from a CDN or proxy to the server that somebody told us stands behind it."""

import hashlib
from collections.abc import Mapping
from copy import copy
from datetime import datetime

from django.conf import settings

from providers.models import Attribution, Origin, Provider
from vault.sealed import new_id


def known_origins(places: Mapping[str, Attribution], *, now: datetime) -> dict[str, Origin]:
    """host -> what we were told of the server behind it, of those that lead to a CDN or proxy now.

    What was told too long ago to trust does not count; a chain that leads back to where it was leads no further.
    """
    proxied = {
        host: (place.provider_id, bytes(place.host_key))
        for host, place in places.items()
        if place.provider is not None
        and place.provider.kind == Provider.Kind.CDN_PROXY
        and not _goes_round(place)
    }
    if not proxied:
        return {}
    told = Origin.objects.filter(
        proxy__in={proxy for proxy, _key in proxied.values()},
        host_key__in={key for _proxy, key in proxied.values()},
        at__gt=now - settings.HOST.origin_max_age,
    )
    newest = {(origin.proxy_id, bytes(origin.host_key)): origin for origin in told.order_by("at", "pk")}
    return {host: newest[place] for host, place in proxied.items() if place in newest}


def behind(host: str, before: Attribution, origin: Origin, there: Attribution) -> Attribution:
    """The place of `host` when its server is at `there`, behind `before`; not saved."""
    made = copy(there)
    made.id, made.host_key = new_id(), before.host_key
    made.host = host
    made.behind, made.origin = before, origin
    digests = (before.response_digest, origin.pk.bytes, there.response_digest)
    made.response_digest = hashlib.sha256(b"".join(digests)).digest()
    return made


def chain(place: Attribution) -> list[Attribution]:
    """A place and all that it stands behind, the outermost first."""
    return [*(chain(place.behind) if place.behind is not None else []), place]


def _goes_round(place: Attribution) -> bool:
    passed = [each.provider_id for each in chain(place)]
    return len(set(passed)) < len(passed)
