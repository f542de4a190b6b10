"""Two providers that have everything, and nothing in common: what is of bravura can be told in any answer.

Each row of bravura bears a mark: its words, its addresses, its year (2024) or its number (72xxxxx).
"""

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.sessions.backends.base import SessionBase
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.models import ApiKey, Invitation, Recovery, Session, User
from accounts.roles import Role
from audit.record import Actor, record
from cases.models import (
    AnswerSheet,
    Delivery,
    Link,
    Mail,
    Message,
    Notice,
    OriginRequest,
    Receipt,
    Reply,
    SavedFilter,
    Verdict,
)
from cases.models.bulk import Bulk
from cases.services import answer_sheets
from providers.models import Contact, ContactKey, Proposal, Provider, Relation
from providers.routing import host_key
from tests.factories import (
    AsnRuleFactory,
    AttributionFactory,
    ContactFactory,
    ContentFactory,
    DispatchFactory,
    HolderRuleFactory,
    HostRuleFactory,
    NetworkFactory,
    NoticeFactory,
    ProviderFactory,
    RegistrationFactory,
    ReplyMailFactory,
    ReportFactory,
    ReportLineFactory,
    SecondLookFactory,
    SightingFactory,
    UserFactory,
    api_key,
)
from tests.isolation.table import ROUTES


@dataclass
class Side:
    """One provider with its rows: `rows` by kind, `ended` those that are over, `opens` the keys' secrets."""

    stamp: "Stamp"
    provider: Provider
    rows: dict[str, Any] = field(default_factory=dict)
    ended: dict[str, Any] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Stamp:
    """How the rows of one provider can be told."""

    name: str
    number: int
    code: str  # seven letters of a reference
    network: str
    asn: int
    at: datetime

    @property
    def marks(self) -> re.Pattern[str]:
        """What may stand in no answer to anybody but its own people and the staff."""
        said = [self.name, f"N-{self.code}", rf"{re.escape(self.network)}\.", rf"\b{self.number}\d{{5}}\b"]
        # Only one of the two lives in a year of its own.
        said += [r"\b2024\b", str(self.asn)] if self.at.year == 2024 else []
        return re.compile("|".join(said), re.IGNORECASE)

    def reference(self, count: int) -> str:
        """The reference of its notice number `count`."""
        return f"N-{self.code}{count:0{10 - len(self.code)}}"


ALFA: Final = Stamp("alfa", 71, "AFA", "203.0.113", 64500, datetime(2026, 6, 1, 9, 41, 27, tzinfo=UTC))
BRAVURA: Final = Stamp(
    "bravura", 72, "BRAVRA", "198.51.100", 64511, datetime(2024, 2, 29, 3, 17, 43, tzinfo=UTC)
)
_HOUR: Final = timedelta(hours=1)


@contextmanager
def numbered() -> Iterator[Callable[[int], None]]:
    """Lets the next rows of every table begin at a number; afterwards all go on where they were."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT schemaname || '.' || sequencename, last_value FROM pg_sequences")
        before = dict(cursor.fetchall())

    def begin(number: int) -> None:
        with connection.cursor() as cursor:
            for model in apps.get_models():
                if isinstance(model._meta.pk, models.AutoField | models.BigAutoField):
                    cursor.execute(
                        "SELECT setval(pg_get_serial_sequence(%s, %s), %s)",
                        [model._meta.db_table, model._meta.pk.column, number * 100_000],
                    )

    yield begin
    with connection.cursor() as cursor:
        for name, last in before.items():
            cursor.execute("SELECT setval(%s, %s, %s)", [name, last or 1, last is not None])


def furnish(stamp: Stamp) -> Side:
    """A provider that has a row of every kind."""
    at, name = stamp.at, stamp.name
    provider = ProviderFactory(code=name, name=f"{name.title()} Hosting")
    side = Side(stamp, provider)
    contact = ContactFactory(provider=provider, approved=True)
    people = {
        "member": UserFactory(provider_contact=True, provider=provider, name=f"{name.title()} Member"),
        "admin": UserFactory(provider_admin=True, provider=provider, name=f"{name.title()} Admin"),
        "colleague": _colleague(provider, f"colleague@{name}.example"),
        "ex": _colleague(provider, f"ex@{name}.example"),
    }
    side.people = people
    network = NetworkFactory(
        provider=provider, prefix=f"{stamp.network}.0/24", asn=stamp.asn, name=f"{name.upper()}-NET"
    )

    def notice(count: int, state: str = "notified", when: datetime = at, **fields: Any) -> Notice:
        number = count % 90 + 10
        made: Notice = NoticeFactory(
            **{state: True},
            reference=stamp.reference(count),
            content=ContentFactory(url=f"https://{name}-content.example/{count}.jpg", created_at=when),
            provider=provider,
            attribution=AttributionFactory(
                provider=provider,
                host=f"{name}-content.example",
                addresses=[f"{stamp.network}.{number}"],
                address=f"{stamp.network}.{number}",
                prefix=f"{stamp.network}.0/24",
                asn=stamp.asn,
                network_name=f"{name.upper()}-NET",
                at=when - 2 * _HOUR,
            ),
            contact=contact,
            customer_reference=f"{name}-customer-{count}",
            **(
                {"notified_at": when}
                if state in {"notified", "escalated", "removed", "withdrawn"}
                else fields
            ),
        )
        return made

    open_one = notice(1, "escalated", last_seen_online_at=at + _HOUR)
    Notice.objects.filter(pk=open_one.pk).update(last_seen_online_at=at + _HOUR, acknowledged_at=at + _HOUR)
    for count in range(2, 5 if stamp is ALFA else 13):
        notice(count, "escalated")
    # Both have notices whose clock still runs: the lists of what is due soon are not empty.
    notice(20, when=timezone.now() - 22 * _HOUR) if stamp is ALFA else notice(20)
    notice(21, "removed")
    withdrawn = notice(22, "withdrawn")
    unsent = NoticeFactory(
        assessed=True,
        reference=stamp.reference(23),
        provider=provider,
        received_at=at,
        assessed_at=at + _HOUR,
        content=ContentFactory(url=f"https://{name}-content.example/unsent.jpg", created_at=at),
    )
    SightingFactory(notice=open_one, seen_at=at + _HOUR, vantage=f"{name}-vantage")
    reply = Reply(
        notice=open_one, answer="forwarded", at=at + 2 * _HOUR, by=f"user:{people['member'].pk}",
        reason=f"{name}-reason", token=uuid.uuid4(),
    )  # fmt: skip
    reply.note = f"{name}-note"
    reply.save()
    message = open_one.dispatch_lines.get().dispatch
    report = ReportFactory(their_reference=f"{name}-theirs", received_at=at, finished_at=at)
    ReportLineFactory(report=report, notice=open_one)
    quarantined = ReportLineFactory(
        report=report, number=2, quarantined=True,
        content=ContentFactory(url=f"https://{name}-doubt.example/1.jpg", created_at=at),
    )  # fmt: skip
    analyst = UserFactory(analyst=True)
    invited = {
        "email": f"invited@{name}.example", "role": "provider_member", "provider": provider,
        "invited_by": people["admin"], "created_at": timezone.now(), "expires_at": timezone.now() + 24 * _HOUR,
    }  # fmt: skip
    token = f"{name}-invitation-token"
    open_invitation = Invitation.objects.create(digest=Invitation.digest_of(token), **invited)
    revoked = Invitation.objects.create(
        digest=Invitation.digest_of(f"{name}-revoked-token"), revoked_at=timezone.now(), **invited
    )
    usable, side.keys["key"] = api_key(provider=provider, name=f"{name} machine")
    dead, side.keys["revoked"] = api_key(provider=provider, name=f"{name} old machine")
    ApiKey.objects.filter(pk=dead.pk).update(revoked_at=timezone.now())
    origin = OriginRequest.objects.create(
        proxy=provider, host_key=host_key(f"{name}-content.example"), notice=open_one, asked_at=at,
        due_at=at + 4 * _HOUR,
    )  # fmt: skip
    verdict = Verdict.objects.create(
        notice=open_one, provider=provider, reply=reply, answer="still_reachable", at=at + 3 * _HOUR,
        by="key:1", state=open_one.state,
    )  # fmt: skip
    Receipt.objects.create(verdict=verdict, key_id="k", signed=f"{name}-signed")
    question = Message(
        notice=open_one, side="provider", at=at, by=f"user:{people['member'].pk}", token=uuid.uuid4()
    )
    question.text = f"{name}-question"
    question.save()
    link = Link.objects.create(
        dispatch=message, nonce=Link.new_nonce(), created_at=at, expires_at=timezone.now() + 24 * _HOUR
    )
    # A call that is made all the same is refused at once: nothing is asked of any resolver.
    webhook = ContactFactory(
        provider=provider,
        channel="webhook",
        address=f"https://{stamp.network}.7/{name}",
        approved=True,
        mode="api",
    )
    factor = Authenticator.objects.create(
        user=people["member"], type="totp", data={"secret": "", "name": f"{name} app"}
    )
    side.rows = {
        "provider": provider.pk,
        "contact": contact.pk,
        "contact_key": ContactKey.objects.create(
            contact=contact, certificate=b"-", fingerprint=f"{stamp.number:040}", added_at=at, added_by="user:1"
        ).pk,
        "network": network.pk,
        "relation": Relation.objects.create(
            provider=provider, other=ProviderFactory(code=f"{name}-parent"), kind="reseller_of",
            valid_from=at.date(), reason=f"{name}-why", by="user:1",
        ).pk,
        "asn_rule": AsnRuleFactory(provider=provider, asn=stamp.asn).pk,
        "holder_rule": HolderRuleFactory(provider=provider, handle=f"ORG-{name.upper()}-TEST").pk,
        "host_rule": HostRuleFactory(provider=provider, pattern=f"{name}-rule.example").pk,
        "registration": RegistrationFactory(
            prefix=f"{stamp.network}.0/24", address=f"{stamp.network}.1", asked_at=at, holder_name=name
        ).pk,
        "invitation": open_invitation.pk,
        "token": token,
        "user": people["colleague"].pk,
        "key": usable.pk,
        "recovery": Recovery.objects.create(
            person_id=people["colleague"].pk, reason="lost it", asked_by=analyst, asked_at=timezone.now()
        ).pk,
        "dispatch": message.pk,
        "notice": open_one.pk,
        "reference": open_one.reference,
        "origin_request": origin.pk,
        "report": report.pk,
        "report_reference": report.reference,
        "second": SecondLookFactory(notice=open_one, differing=True).pk,
        "step": open_one.steps.order_by("pk").first().pk,
        "bulk": Bulk.objects.create(
            act="hold", user=analyst, language="en", created_at=at, erased_at=timezone.now() + 24 * _HOUR
        ).pk,
        "filter": SavedFilter.objects.create(
            user=analyst, name=f"{name}-filter", query="state=notified", created_at=at
        ).pk,
        "quarantined": quarantined.pk,
        "reply_mail": ReplyMailFactory(dispatch=message, received_at=at, ticket=f"{name}-ticket").pk,
        "factor": factor.pk,
        "sheet": answer_sheets.prepare(
            provider_id=provider.pk, way=AnswerSheet.Way.LIST, once=name, by=Actor.of(people["member"]), now=timezone.now(),
            lines=[answer_sheets.Line(1, open_one.reference, "acknowledged", None, "", f"{name}-note")],
        ).token,
        "receipt": verdict.reference,
        "message": question.pk,
        "link": message.pk,
        "link_token": link.token,
        "webhook": webhook.pk,
        "delivery": Delivery.objects.create(
            contact=webhook, provider=provider, kind=Delivery.Kind.TEST, type="endpoint.test",
            webhook_id=f"{name}-webhook-id", started_at=at, accepted=False, http_status=500, by="user:1",
            answer=f"{name}-answer",
        ).pk,
        "proposal": Proposal.objects.create(
            provider=provider, kind="change", contact=contact, mode="attachment", formats="csv", state="waits",
            why=f"{name}-why", proposed_at=at, proposed_by=f"user:{people['member'].pk}",
        ).pk,
        "session": session_of(people["member"]).row_number,
        "name": name,
        "addresses": stamp.network,
    }  # fmt: skip
    cancelled = DispatchFactory(contact=contact, cancelled=True, created_at=at)
    ended_link = Link.objects.create(
        dispatch=cancelled, nonce=Link.new_nonce(), created_at=at, expires_at=at + 24 * _HOUR
    )
    side.ended = {
        "link": cancelled.pk,
        "link_token": ended_link.token,
        "notice": unsent.pk,
        "reference": unsent.reference,
        "invitation": revoked.pk,
        "token": f"{name}-revoked-token",
        "user": people["ex"].pk,
        "key": dead.pk,
        "dispatch": cancelled.pk,
        "withdrawn": withdrawn.reference,
    }
    return side


def _colleague(provider: Provider, email: str) -> User:
    person: User = UserFactory(
        roles=[str(Role.PROVIDER_MEMBER)],
        provider=provider,
        email=email,
        name=email.partition("@")[0].title(),
    )
    return person


@dataclass(frozen=True)
class Opened:
    """A log-in: the key that the cookie holds, and the number that pages name it by."""

    key: str
    row_number: uuid.UUID


def session_of(person: User) -> Opened:
    """Log this person in."""
    client = Client()
    client.force_login(person)
    session: SessionBase = client.session
    session["proved_at"] = timezone.now().timestamp()
    session[sessions.DEVICE] = f"{person.name} device"
    session.save()
    key = session.session_key or ""
    return Opened(key, Session.objects.get(session_key=key).number)


def fingerprint(side: Side) -> str:
    """A digest of all that is of this provider: it changes when any row of it does."""
    of = {
        Provider: {"pk": side.provider.pk},
        Contact: {"provider": side.provider},
        User: {"provider": side.provider},
        ApiKey: {"provider": side.provider},
        Invitation: {"provider": side.provider},
        Notice: {"provider": side.provider},
        Reply: {"notice__provider": side.provider},
        Session: {"user__provider": side.provider},
        Authenticator: {"user__provider": side.provider},
    }
    unnoticed = {"last_used_at", "seen_at"}
    return repr(
        [
            list(
                model._default_manager.filter(**which)
                .order_by("pk")
                .values_list(*(f.attname for f in model._meta.concrete_fields if f.name not in unnoticed))
            )
            for model, which in of.items()
        ]
    )


def partner_mail() -> Mail:
    """A mail of a partner that waits for a person."""
    mail = Mail(
        reference="M-WALK-000001", message_key=b"1" * 32, content_key=b"2" * 32, sender_key=b"3" * 32,
        received_at=ALFA.at, size_bytes=1_000, state=Mail.State.WAITING, reason=Mail.Reason.STRANGER,
    )  # fmt: skip
    mail.save()
    record("receive", "mail", mail.pk, by=Actor.system("test"), at=ALFA.at, became=mail.state)
    return mail


class _Rows(dict[str, Any]):
    """Rows by kind, of which all that are not named are alike."""

    def __init__(self, other: Any, **named: Any) -> None:
        kinds = {kind for route in ROUTES.values() for kind in route.kinds}
        super().__init__(dict.fromkeys(kinds, other) | named)


#: What was never there, in the form of what may be.
MISSING: Final = _Rows(
    7_499_999,
    reference="N-MSSNGM0001",
    report_reference="R-MSSNG00001",
    token="missing-invitation-token",
    link_token="q" * 40,
    receipt="V-MSSNGM0001",
    quarter="2020-Q1",
    file_kind="json",
    proposal_kind="add",
    session=uuid.UUID(int=7),
    sheet=uuid.UUID(int=7),
    host_rule=uuid.UUID(int=7),
    quarantined=uuid.UUID(int=7),
    letter_kind="nothing",
    language="xx",
    name="missing",
    addresses="192.0.2",
)
#: What no row is named like.
MALFORMED: Final = _Rows("N-%27%20OR%201=1--", report_reference="%00", name="%25", addresses="%ff")
