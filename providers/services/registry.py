"""Asking the registries what no other source knows, and what is made of their answers: proposals, for a person's yes."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from audit.record import Actor, record
from providers.fetch import Fetcher
from providers.models import Contact, Network, Provider, Registration, RegistryQuestion
from providers.rdap import Limited, Said, Unanswered, ask
from providers.rdap.index import Servers
from providers.rdap.questions import ASK_EVERY, want
from providers.routing import look_up
from providers.services.unfit import Unfit
from providers.sources.resolver import NoResolver

SLICE: Final = timedelta(seconds=15)  # of one sweep; what is left then waits for the next
BATCH: Final = 50  # questions of one sweep
PER_SERVER: Final = 20  # of them, to one server
LEASE: Final = timedelta(minutes=2)
#: What fails in passing is tried again so long after; then it rests.
AGAIN: Final = (timedelta(minutes=5), timedelta(hours=1))
#: Networks of a provider that its registries are asked about at once.
MOST_NETWORKS: Final = 20

#: Who proposes what follows from an answer.
RDAP: Final = Actor.system("rdap")

_Trouble = RegistryQuestion.Trouble
_PASSING: Final = frozenset({_Trouble.NO_ANSWER, _Trouble.TOO_SLOW, _Trouble.TLS})


def ask_due(*, fetcher: Fetcher, by: Actor, clock: Callable[[], datetime]) -> int:
    """Put the questions that are due to the registries; returns how many were answered.

    Never more than BATCH, nor for longer than SLICE and one answer. A server that is silent, or that wants us to wait,
    is left alone. No row is locked while a server is asked.
    """
    began = clock()
    resting = _resting(now=began)  # before ours are leased, which looks like resting
    claimed = _claim(now=began)
    if not claimed:
        return 0
    own = settings.HOST.rdap if settings.HOST.rdap != "on" else ""
    servers = Servers(own, fetcher=fetcher, now=began)
    asked: Counter[str] = Counter()
    silent: set[str] = set()
    put_back, answered = [], 0
    for question in claimed:
        now = clock()
        if _is_known(question.address, now=now):
            question.delete()
            continue
        base = servers.of(question.address)
        server = urlsplit(base).hostname or ""
        if not base:
            _failed(question, server, _Trouble.NO_REGISTRY, now=now)
        elif server in resting:
            RegistryQuestion.objects.filter(pk=question.pk).update(due_at=resting[server], server=server)
        elif server in silent or asked[server] >= PER_SERVER or now >= began + SLICE:
            put_back.append(question.pk)
        else:
            asked[server] += 1
            try:
                said = ask(question.address, base, fetcher=fetcher)
            except Limited as limit:
                resting[server] = now + limit.wait
                _limited(question, server, until=resting[server], now=now)
            except Unanswered as failure:
                if failure.trouble in _PASSING:
                    silent.add(server)
                _failed(question, server, failure.trouble, now=now)
            else:
                answered += 1
                _keep(question, said, by=by, now=now)
    RegistryQuestion.objects.filter(pk__in=put_back).update(due_at=clock())
    return answered


def ask_about(*, provider_id: int, by: Actor, now: datetime) -> int:
    """Have the registries asked about the networks of a provider; returns how many contacts were proposed at once.

    Those follow from what they said before; the others come with the next sweeps. Raises Unfit.
    """
    if not settings.HOST.rdap:
        raise Unfit(_("Asking registries is switched off."))
    networks = Network.objects.filter(provider_id=provider_id).order_by("prefix", "pk")[:MOST_NETWORKS]
    addresses = [str(network.prefix.network_address) for network in networks]
    if not addresses:
        raise Unfit(_("No network of this provider is known."))
    with transaction.atomic():
        provider = Provider.objects.get(pk=provider_id)
        record("ask_registries", "provider", provider_id, by=by, at=now, data={"networks": len(addresses)})
        known = {address: row for address in addresses if (row := _newest(address, since=now - ASK_EVERY))}
        want((address for address in addresses if address not in known), now=now)
        proposed = [propose_contact(provider, row.abuse_mailbox, by=RDAP, now=now) for row in known.values()]
    return sum(proposed)


def propose_contact(provider: Provider, mailbox: str, *, by: Actor, now: datetime) -> bool:
    """A mailbox as a contact that nobody has approved; False when there is none, or the provider has it already."""
    if not mailbox:
        return False
    contact, is_new = Contact.objects.get_or_create(
        provider=provider,
        channel=Contact.Channel.SMTP,
        address=mailbox,
        defaults={"mode": Contact.Mode.PORTAL, "role": Contact.Role.ABUSE, "added_by": str(by)},
    )
    if is_new:
        data = {"provider": provider.code, "role": contact.role}
        record("add", "contact", contact.pk, by=by, at=now, data=data)
    return is_new


def _claim(*, now: datetime) -> list[RegistryQuestion]:
    """What is due, ours for LEASE: whoever dies with it leaves it to the next sweep."""
    with transaction.atomic():
        due = RegistryQuestion.objects.filter(due_at__lte=now).order_by("due_at", "pk")
        claimed = list(due.select_for_update(skip_locked=True)[:BATCH])
        RegistryQuestion.objects.filter(pk__in=[row.pk for row in claimed]).update(due_at=now + LEASE)
    return claimed


def _resting(*, now: datetime) -> dict[str, datetime]:
    """The servers that want to be left alone, and until when."""
    limited = RegistryQuestion.objects.filter(
        trouble=_Trouble.LIMITED, due_at__gt=now, asked_at__isnull=False
    )
    return dict(limited.values_list("server").annotate(until=Max("due_at")).order_by())


def _newest(address: str, *, since: datetime) -> Registration | None:
    """The most specific young answer that covers an address."""
    rows = Registration.objects.raw(
        "SELECT * FROM providers_registration WHERE is_newest AND prefix >>= %s::inet AND asked_at > %s"
        " ORDER BY masklen(prefix) DESC LIMIT 1",
        [address, since],
    )
    return next(iter(rows), None)


def _is_known(address: str, *, now: datetime) -> bool:
    """Whether another question has brought the answer: one network is asked for once."""
    return _newest(address, since=now - ASK_EVERY) is not None


def _limited(question: RegistryQuestion, server: str, *, until: datetime, now: datetime) -> None:
    question.trouble, question.server, question.due_at, question.asked_at = (
        _Trouble.LIMITED,
        server,
        until,
        now,
    )
    question.save(update_fields=["trouble", "server", "due_at", "asked_at"])


def _failed(question: RegistryQuestion, server: str, trouble: str, *, now: datetime) -> None:
    tries = question.attempts
    again = AGAIN[tries] if trouble in _PASSING and tries < len(AGAIN) else None
    question.trouble, question.server, question.asked_at = trouble, server, now
    question.attempts, question.due_at = tries + 1, now + again if again else None
    question.save(update_fields=["trouble", "server", "asked_at", "attempts", "due_at"])


def _keep(question: RegistryQuestion, said: Said, *, by: Actor, now: datetime) -> None:
    """The answer as the newest of its network, and what it proposes."""
    network = said.network
    with transaction.atomic():
        _overtake(str(network.prefix), question.address)
        passed = (
            Registration.objects.filter(holder_handle=network.holder_handle, is_newest=True)
            .exclude(passed_over_by="")
            .first()
        )
        row = Registration.objects.create(
            prefix=network.prefix,
            address=question.address,
            server=said.server,
            handle=network.handle,
            name=network.name,
            country=network.country,
            holder_handle=network.holder_handle,
            holder_name=network.holder_name,
            abuse_mailbox=network.abuse_mailbox,
            response_digest=said.digest,
            asked_at=now,
            passed_over_by=passed.passed_over_by if passed and network.holder_handle else "",
        )
        question.delete()
        # Whose it is by a rule or a table: there a mailbox can be proposed.
        provider = (
            look_up([_host(question.address)], resolver=NoResolver(), by=str(by), now=now)
            .popitem()[1]
            .provider
        )
        if provider is not None:
            propose_contact(provider, row.abuse_mailbox, by=RDAP, now=now)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _overtake(prefix: str, address: str) -> None:
    """What was said of this network, and of smaller ones around the address, is not the newest any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE providers_registration SET is_newest = false"
            " WHERE is_newest AND prefix <<= %s::cidr AND (prefix >>= %s::inet OR prefix = %s::cidr)",
            [prefix, address, prefix],
        )
