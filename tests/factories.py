"""Rows for tests: fixed defaults, and traits that add the history their state needs.

`NoticeFactory(escalated=True)` is a notice that was judged, put on a message, accepted by the provider's
server at NOON and ran out of time: its dispatch, its steps and its audit events stand beside it. Everything
counts from `notified_at` (NOON unless said otherwise), so `NoticeFactory(notified=True, notified_at=...)`
moves the whole history along.
"""

import hashlib
import itertools
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import factory
from django.db import connection, models, transaction
from factory.django import DjangoModelFactory

from accounts.models import ApiKey, Scope, User
from accounts.roles import Role
from audit.models import Event
from audit.record import Actor, event, record, record_many
from cases import deadlines, url
from cases.models import (
    Assessment,
    Content,
    DeadlineRule,
    Dispatch,
    DispatchLine,
    MailSender,
    Notice,
    ReplyMail,
    Report,
    ReportLine,
    SecondLook,
    Sighting,
    Source,
    Step,
)
from cases.models.notice import new_notice_reference
from providers.models import (
    AsnRule,
    Attribution,
    Contact,
    HolderRule,
    HostRule,
    Network,
    Provider,
    Registration,
)
from providers.routing import host_key

#: A Tuesday at noon in UTC: winter time in Amsterdam, so 13:00 there.
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
#: Statements that keep a request of a provider among its own rows: a savepoint, in, out, released (accounts/rows.py).
AMONG_OWN_ROWS = 4
HOUR = timedelta(hours=1)
#: What the first migrations add; tests that commit lose it and get it back.
FIRST_RULE = {"term": 24 * HOUR, "valid_from": datetime(2018, 12, 1, tzinfo=UTC), "by": "system:migration"}
FIRST_SOURCES = {
    "staff": "Meldpunt (medewerkers)",
    "public": "Publiek formulier",
    "partner": "Partner-hotline",
}
#: Who does what nobody else did.
SYSTEM = Actor.system("test")


def at_path(count: int) -> str:
    """An address of content: one host, a path of its own."""
    return f"https://forum.example/img/{count:04d}.jpg"


class ProviderFactory(DjangoModelFactory):
    """A Dutch hosting provider; the same `code` is the same provider."""

    code = "alfa"
    name = factory.LazyAttribute(lambda o: f"{o.code.title()} Hosting")
    kind = Provider.Kind.HOSTER
    country = "NL"
    language = "en"

    class Meta:
        model = Provider
        django_get_or_create = ("code",)

    class Params:
        cdn = factory.Trait(kind=Provider.Kind.CDN_PROXY)
        abroad = factory.Trait(country="DE")


class ContactFactory(DjangoModelFactory):
    """A mail address; nobody has approved it unless `approved`: then a first message was accepted before."""

    provider = factory.SubFactory(ProviderFactory)
    channel = Contact.Channel.SMTP
    address = factory.LazyAttribute(lambda o: f"abuse@{o.provider.code}.example")
    mode = Contact.Mode.PORTAL
    formats = factory.LazyAttribute(lambda o: "csv" if o.mode == Contact.Mode.ATTACHMENT else "")

    class Meta:
        model = Contact
        django_get_or_create = ("provider", "channel", "address")

    class Params:
        approved = factory.Trait(
            approved_at=NOON - timedelta(days=30), approved_by="user:1", known_since=NOON - timedelta(days=20)
        )
        # Approved, but nothing was ever sent there: a person looks at the first message.
        unknown = factory.Trait(approved=True, known_since=None)
        suspended = factory.Trait(
            approved=True, suspended_at=NOON - timedelta(days=1), suspended_reason="it bounced"
        )


class NetworkFactory(DjangoModelFactory):
    """A prefix of a provider, reserved for documentation (RFC 5737)."""

    prefix = "192.0.2.0/24"
    provider = factory.SubFactory(ProviderFactory)
    asn = 64500
    country = "NL"
    name = "ALFA-NET-1"

    class Meta:
        model = Network
        django_get_or_create = ("prefix",)


class AsnRuleFactory(DjangoModelFactory):
    """AS64500 is of a provider, somebody says."""

    asn = 64500
    provider = factory.SubFactory(ProviderFactory)
    country = "NL"
    reason = "Its own site says so"
    by = "user:1"

    class Meta:
        model = AsnRule


class HostRuleFactory(DjangoModelFactory):
    """A person's word on a host and all under it."""

    provider = factory.SubFactory(ProviderFactory)
    country = "NL"
    reason = "The owner told us"
    by = "user:1"

    class Meta:
        model = HostRule

    @classmethod
    def _create(cls, model_class: type[HostRule], *args: Any, **fields: Any) -> HostRule:
        pattern = fields.pop("pattern", "forum.example")
        rule = model_class(pattern_key=host_key(pattern), **fields)
        rule.pattern = pattern
        rule.save(force_insert=True)
        return rule


class RegistrationFactory(DjangoModelFactory):
    """What a registry said of 192.0.2.0/24 an hour before noon."""

    prefix = "192.0.2.0/24"
    address = "192.0.2.10"
    server = "rdap.registry.example"
    handle = "192.0.2.0 - 192.0.2.255"
    name = "ALFA-NET-1"
    country = "NL"
    holder_handle = "ORG-ALFA1-TEST"
    holder_name = "Alfa Hosting B.V."
    abuse_mailbox = "abuse@alfa.example"
    response_digest = hashlib.sha256(b"said").digest()
    asked_at = NOON - HOUR

    class Meta:
        model = Registration


class HolderRuleFactory(DjangoModelFactory):
    """Alfa is that holder, somebody says."""

    handle = "ORG-ALFA1-TEST"
    provider = factory.SubFactory(ProviderFactory)
    country = "NL"
    reason = "Its own site says so"
    by = "user:1"

    class Meta:
        model = HolderRule


class AttributionFactory(DjangoModelFactory):
    """Found in our own list of networks, a while before noon."""

    provider = factory.SubFactory(ProviderFactory)
    addresses = ["192.0.2.10"]
    address = "192.0.2.10"
    prefix = "192.0.2.0/24"
    asn = 64500
    country = "NL"
    network_name = "ALFA-NET-1"
    source = Attribution.Source.NETWORK
    at = NOON - 2 * HOUR
    by = "system:test"

    class Meta:
        model = Attribution

    class Params:
        nobody = factory.Trait(
            provider=None,
            addresses=[],
            address=None,
            prefix=None,
            asn=None,
            country="",
            network_name="",
            source=Attribution.Source.NONE,
            trouble=Attribution.Trouble.NO_ADDRESS,
        )
        abroad = factory.Trait(country="DE")

    @classmethod
    def _create(cls, model_class: type[Attribution], *args: Any, **fields: Any) -> Attribution:
        host = fields.pop("host", "forum.example")
        digest = hashlib.sha256(" ".join(fields["addresses"]).encode()).digest()
        place = model_class(host_key=host_key(host), response_digest=digest, **fields)
        place.host = host
        place.save(force_insert=True)
        return place


class UserFactory(DjangoModelFactory):
    """A person; the role gives the address. Without `password` nobody can log in by form (force_login can).

    `provider_contact` and `provider_admin` belong to `provider`.
    """

    email = factory.LazyAttribute(lambda o: f"{o.roles[0].replace('_', '.')}@hotline.example")
    name = factory.LazyAttribute(lambda o: o.email.partition("@")[0].title())
    roles = factory.LazyFunction(lambda: [str(Role.ANALYST)])
    language = "en"
    provider = None

    class Meta:
        model = User
        django_get_or_create = ("email",)

    class Params:
        intake = factory.Trait(roles=[str(Role.INTAKE)])
        analyst = factory.Trait(roles=[str(Role.ANALYST)])
        lead = factory.Trait(roles=[str(Role.LEAD)])
        notice_desk = factory.Trait(roles=[str(Role.NOTICE_DESK)])
        contact_manager = factory.Trait(roles=[str(Role.CONTACT_MANAGER)])
        supervisor = factory.Trait(roles=[str(Role.SUPERVISOR)])
        auditor = factory.Trait(roles=[str(Role.AUDITOR)])
        functional_admin = factory.Trait(roles=[str(Role.FUNCTIONAL_ADMIN)])
        provider_contact = factory.Trait(
            roles=[str(Role.PROVIDER_MEMBER)],
            provider=factory.SubFactory(ProviderFactory),
            email=factory.LazyAttribute(lambda o: f"contact@{o.provider.code}.example"),
        )
        provider_admin = factory.Trait(
            roles=[str(Role.PROVIDER_ADMIN)],
            provider=factory.SubFactory(ProviderFactory),
            email=factory.LazyAttribute(lambda o: f"admin@{o.provider.code}.example"),
        )

    @classmethod
    def _create(cls, model_class: type[User], *args: Any, **fields: Any) -> User:
        password = fields.pop("password", None)
        found = model_class.objects.filter(email=fields["email"]).first()
        return found or model_class.objects.create_user(password=password, **fields)


def api_key(*scopes: str, provider: Provider | None = None, name: str = "machine") -> tuple[ApiKey, str]:
    """A key with `scopes` (all of its owner's when none are named) and its secret."""
    of_provider = [Scope.NOTICES_READ, Scope.NOTICES_ANSWER]
    return ApiKey.mint(
        name=name, scopes=list(scopes) or list(of_provider if provider else Scope), provider=provider
    )


class SourceFactory(DjangoModelFactory):
    """A source of reports; the migration has made `staff`, `public` and `partner`."""

    code = "staff"
    name = factory.LazyAttribute(lambda o: o.code.title())

    class Meta:
        model = Source
        django_get_or_create = ("code",)


class ContentFactory(DjangoModelFactory):
    """Material at `url`, read by the one parser; the same address is the same content."""

    url = factory.Sequence(at_path)
    created_at = NOON - 3 * HOUR

    class Meta:
        model = Content

    @classmethod
    def _create(cls, model_class: type[Content], *args: Any, **fields: Any) -> Content:
        made = model_class.of(url.parse(fields["url"]), now=fields["created_at"])
        found = model_class.objects.filter(url_key=made.url_key).first()
        if found is None:
            made.save(force_insert=True)
        return found or made


class NoticeFactory(DjangoModelFactory):
    """Content at one provider, in any state, with the history that the state needs.

    Beyond the model's own fields: `contact` (whom its message went to; made when missing), `dispatch` (the
    message it stands on; one of its own when missing), `content__url` (its address).
    """

    content = factory.SubFactory(ContentFactory)
    received_at = factory.LazyAttribute(lambda o: (o.notified_at or NOON) - 3 * HOUR)
    notified_at: datetime | None = None
    provider: Any = None
    attribution: Any = None
    contact: Any = None
    dispatch: Any = None
    claimed_removed_at: datetime | None = None
    last_seen_online_at: datetime | None = None

    class Meta:
        model = Notice

    @factory.lazy_attribute
    def claim_answer(self) -> str:
        """By what was seen since the claim: online, or nothing yet."""
        if self.claimed_removed_at is None:
            return ""
        seen = self.last_seen_online_at
        return "still_reachable" if seen is not None and seen > self.claimed_removed_at else "waiting"

    class Params:
        #: Who hosts it is known.
        attributed = factory.Trait(
            provider=factory.SubFactory(ProviderFactory),
            attribution=factory.SubFactory(AttributionFactory, provider=factory.SelfAttribute("..provider")),
        )
        assessed = factory.Trait(
            attributed=True,
            assessed_at=factory.LazyAttribute(lambda o: (o.notified_at or NOON) - 2 * HOUR),
            legal_class="baseline",
        )
        #: On a pending message whose grouping window ends at NOON.
        routed = factory.Trait(
            assessed=True, routed_at=factory.LazyAttribute(lambda o: (o.notified_at or NOON) - HOUR)
        )
        #: With our relay; whether their server took it is not known.
        sent = factory.Trait(routed=True, sent_at=factory.LazyAttribute(lambda o: o.notified_at or NOON))
        #: Their server accepted it: the clock runs.
        notified = factory.Trait(
            sent=True,
            state=Notice.State.NOTIFIED,
            notified_at=NOON,
            rule=factory.LazyFunction(lambda: DeadlineRule.objects.get(version=1)),
            due_at=factory.LazyAttribute(lambda o: deadlines.due_at(o.notified_at, o.rule.term)),
            next_check_at=factory.LazyAttribute(lambda o: o.notified_at),
        )
        escalated = factory.Trait(
            notified=True,
            state=Notice.State.ESCALATED,
            escalated_at=factory.LazyAttribute(lambda o: o.due_at),
        )
        #: Seen gone three times, the first time an hour after t0.
        removed = factory.Trait(
            notified=True,
            state=Notice.State.REMOVED,
            gone_since=factory.LazyAttribute(lambda o: o.notified_at + HOUR),
            removed_at=factory.LazyAttribute(lambda o: o.gone_since + timedelta(minutes=10)),
        )
        dismissed = factory.Trait(
            state=Notice.State.DISMISSED,
            assessed_at=factory.LazyAttribute(lambda o: o.received_at + HOUR),
            closed_at=factory.LazyAttribute(lambda o: o.assessed_at),
            closed_because=Notice.Dismissal.NOT_ILLEGAL,
            legal_class="not_illegal",
        )
        withdrawn = factory.Trait(
            notified=True,
            state=Notice.State.WITHDRAWN,
            closed_at=factory.LazyAttribute(lambda o: o.notified_at + HOUR),
            closed_because=Notice.Withdrawal.OBJECTION_UPHELD,
            next_check_at=None,
        )
        held = factory.Trait(
            hold=Notice.Hold.POLICE_FIRST,
            hold_reason="A new victim",
            hold_by="user:1",
            hold_until=NOON + 24 * HOUR,
        )

    @classmethod
    def _create(cls, model_class: type[Notice], *args: Any, **fields: Any) -> Notice:
        contact, dispatch = fields.pop("contact"), fields.pop("dispatch")
        with transaction.atomic():
            notice = model_class(**fields)
            notice.priority = notice.its_priority
            notice.save(force_insert=True)
            _remember(notice)
            if notice.assessed_at:
                _judge(notice)
            if notice.routed_at:
                _put_on(notice, contact=contact, dispatch=dispatch)
            if notice.notified_at:
                _run_clock(notice)
        return notice


def _moves(notice: Notice) -> Sequence[tuple[str, str, datetime]]:
    """(act, state it led to, when): how a notice came where it is."""
    state, path = Notice.State, [("receive", Notice.State.RECEIVED, notice.received_at)]
    if notice.notified_at:
        path.append(("notify", state.NOTIFIED, notice.notified_at))
    if notice.escalated_at:
        path.append(("escalate", state.ESCALATED, notice.escalated_at))
    if notice.state == state.REMOVED and notice.removed_at:
        path.append(("observe", state.REMOVED, notice.removed_at))
    if notice.state in {state.DISMISSED, state.WITHDRAWN} and notice.closed_at:
        path.append(
            ("dismiss" if notice.state == state.DISMISSED else "withdraw", notice.state, notice.closed_at)
        )
    return path


def _remember(notice: Notice) -> None:
    was = ""
    for act, became, at in _moves(notice):
        record(act, "notice", notice.pk, by=SYSTEM, at=at, was=was, became=became)
        was = became


def _judge(notice: Notice) -> None:
    assert notice.assessed_at is not None
    Assessment.objects.create(
        notice=notice,
        assessor=UserFactory(analyst=True),
        at=notice.assessed_at,
        legal_class=notice.legal_class,
        reason="" if notice.legal_class in {"baseline", "national"} else "adult",
        vocabulary_id=1,
        token=uuid.uuid4(),
    )


def _put_on(notice: Notice, *, contact: Contact | None, dispatch: Dispatch | None) -> None:
    if dispatch is None:
        dispatch = DispatchFactory(
            contact=contact or ContactFactory(provider=notice.provider, approved=True),
            created_at=notice.routed_at,
            next_attempt_at=notice.sent_at or NOON,
            accepted=notice.notified_at is not None,
            relayed=notice.sent_at is not None and notice.notified_at is None,
        )
    DispatchLine.objects.create(dispatch=dispatch, notice=notice, contact=dispatch.contact, step="first")


def _run_clock(notice: Notice) -> None:
    """The rungs that its state has behind it, and the one that waits."""
    ended = notice.closed_at or notice.removed_at
    overtaken = {"taken_at": ended, "outcome": "overtaken"} if ended else {}
    if notice.escalated_at:
        StepFactory(notice=notice, code="hint", taken_at=notice.escalated_at, asked_at=None)
        StepFactory(notice=notice, code="reminder-1", **overtaken)
    else:
        StepFactory(notice=notice, code="hint", **overtaken)
    if notice.state == Notice.State.REMOVED and notice.gone_since:
        for minutes in (0, 5, 10):
            SightingFactory(
                notice=notice, seen_at=notice.gone_since + timedelta(minutes=minutes), outcome="gone"
            )


def _next_of_the_series() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('cases_dispatch_number')")
        (count,) = cursor.fetchone()
    return int(count)


_paths = itertools.count(1)


def many(count: int, **fields: Any) -> list[Notice]:
    """`count` notices like NoticeFactory(**fields), on one message, with their history, in few statements."""
    with transaction.atomic():
        first: Notice = NoticeFactory(**fields)
        contents = [
            Content.of(url.parse(f"https://forum.example/many/{next(_paths)}"), now=first.content.created_at)
            for _ in range(count - 1)
        ]
        Content.objects.bulk_create(contents)
        others = [
            Notice(**_columns(first, reference=new_notice_reference(), content_id=content.pk))
            for content in contents
        ]
        Notice.objects.bulk_create(others)
        copies: list[type[models.Model]] = [Assessment, DispatchLine, Step, Sighting]
        for model in copies:
            rows = list(model._default_manager.filter(notice=first))
            token = {"token": uuid.uuid4} if model is Assessment else {}
            model._default_manager.bulk_create(
                model(**_columns(row, notice_id=other.pk, **{name: make() for name, make in token.items()}))
                for other in others
                for row in rows
            )
        events = list(Event.objects.filter(subject="notice", subject_id=first.pk).order_by("pk"))
        record_many(
            event(e.act, "notice", other.pk, by=SYSTEM, at=e.at, was=e.was, became=e.became)
            for other in others
            for e in events
        )
    return [first, *others]


def _columns(row: models.Model, **changed: Any) -> dict[str, Any]:
    """The fields of a row for a copy of it."""
    same = {f.attname: getattr(row, f.attname) for f in row._meta.concrete_fields if not f.primary_key}
    return same | changed


class DispatchFactory(DjangoModelFactory):
    """A first message that waits in the outbox until NOON; `lines_of=[notice, ...]` puts notices on it."""

    contact = factory.SubFactory(ContactFactory, approved=True)
    kind = Dispatch.Kind.FIRST
    number = factory.LazyFunction(lambda: f"NTD-2026-{_next_of_the_series():06d}")
    message_id = factory.LazyAttribute(lambda o: f"<{o.number.lower()}.test@hotline.example>")
    token = factory.LazyAttribute(lambda o: f"token-{o.number.lower()}")
    created_at = NOON - HOUR
    next_attempt_at = NOON
    gathering = False

    class Meta:
        model = Dispatch

    class Params:
        gathers = factory.Trait(gathering=True)
        reminder = factory.Trait(kind=Dispatch.Kind.REMINDER)
        needs_approval = factory.Trait(approval_reason=Dispatch.Approval.NEW_CONTACT)
        relayed = factory.Trait(state=Dispatch.State.RELAYED, attempt=1, evidence="250 queued")
        accepted = factory.Trait(
            state=Dispatch.State.ACCEPTED,
            attempt=1,
            evidence="250 OK",
            accepted_at=factory.LazyAttribute(lambda o: o.next_attempt_at),
        )
        parked = factory.Trait(
            state=Dispatch.State.PARKED,
            attempt=5,
            failures=5,
            trouble=Dispatch.Trouble.NO_LUCK,
            trouble_answer="451 later",
        )
        cancelled = factory.Trait(state=Dispatch.State.CANCELLED)
        #: Accepted at NOON, and back an hour later.
        bounced = factory.Trait(
            accepted=True,
            state=Dispatch.State.BOUNCED,
            bounced_at=factory.LazyAttribute(lambda o: o.next_attempt_at + HOUR),
            trouble=Dispatch.Trouble.BOUNCED,
            trouble_answer="550 5.1.1 no such mailbox",
        )

    @classmethod
    def _create(cls, model_class: type[Dispatch], *args: Any, **fields: Any) -> Dispatch:
        notices: Sequence[Notice] = fields.pop("lines_of", ())
        with transaction.atomic():
            dispatch = model_class(**fields)
            dispatch.save(force_insert=True)
            became = dispatch.state
            record("enqueue", "dispatch", dispatch.pk, by=SYSTEM, at=dispatch.created_at, became="pending")
            if became != Dispatch.State.PENDING:
                at = dispatch.accepted_at or NOON
                record("settle", "dispatch", dispatch.pk, by=SYSTEM, at=at, was="pending", became=became)
            step = "first" if dispatch.kind == Dispatch.Kind.FIRST else f"reminder-{dispatch.round}"
            for notice in notices:
                DispatchLine.objects.create(
                    dispatch=dispatch, notice=notice, contact=dispatch.contact, step=step
                )
        return dispatch


class SightingFactory(DjangoModelFactory):
    """A look of the checker: online, an hour after t0. It draws no conclusion; `observe` does."""

    notice = factory.SubFactory(NoticeFactory, notified=True)
    seen_at = factory.LazyAttribute(lambda o: (o.notice.notified_at or NOON) + HOUR)
    outcome = Sighting.Outcome.ONLINE
    http_status = factory.LazyAttribute(lambda o: {"online": 200, "gone": 404}.get(str(o.outcome)))
    vantage = "checker-nl"
    recorded_at = factory.LazyAttribute(lambda o: o.seen_at)
    by = "key:1"

    class Meta:
        model = Sighting


class StepFactory(DjangoModelFactory):
    """A rung of the ladder, due when the law says."""

    notice = factory.SubFactory(NoticeFactory, notified=True)
    code = "hint"
    due_at = factory.LazyAttribute(
        lambda o: deadlines.step_due_at(o.code, o.notice.notified_at, o.notice.rule.term)
    )
    owner = factory.LazyAttribute(lambda o: deadlines.rung(o.code).role)
    channel = factory.LazyAttribute(lambda o: deadlines.rung(o.code).channel)
    outcome = ""
    #: Once taken it asks its role.
    taken_at: Any = None
    asked_at = factory.LazyAttribute(lambda o: None if o.outcome == "overtaken" else o.taken_at)

    class Meta:
        model = Step


class SecondLookFactory(DjangoModelFactory):
    """A second judgement that is wanted of a notice in the outbox, because it was drawn.

    `differing=True`: Mees has judged it not illegal, and the lead decides. `agreed=True`: Mees judged the same.
    """

    notice = factory.SubFactory(NoticeFactory, routed=True)
    why = SecondLook.Why.SAMPLE
    wanted_at = factory.LazyAttribute(lambda o: o.notice.assessed_at)
    due_at = factory.LazyAttribute(lambda o: o.wanted_at + 24 * HOUR)
    first = factory.LazyAttribute(lambda o: o.notice.assessments.get())
    first_by = factory.LazyAttribute(lambda o: o.first.assessor)

    class Meta:
        model = SecondLook

    class Params:
        read_as: Any = None
        differing = factory.Trait(read_as="not_illegal")
        agreed = factory.Trait(
            read_as=factory.SelfAttribute("first.legal_class"),
            outcome=SecondLook.Outcome.AGREED,
            settled_at=factory.LazyAttribute(lambda o: o.wanted_at + HOUR),
            settled_by=factory.LazyAttribute(lambda o: o.second_by),
        )

    second_by = factory.LazyAttribute(
        lambda o: UserFactory(email="second@hotline.example", name="Mees") if o.read_as else None
    )
    second = factory.LazyAttribute(
        lambda o: (
            Assessment.objects.create(
                notice=o.notice,
                assessor=o.second_by,
                at=o.wanted_at + HOUR,
                legal_class=o.read_as,
                reason="" if o.read_as in {"baseline", "national"} else "adult",
                vocabulary_id=1,
                token=uuid.uuid4(),
            )
            if o.read_as
            else None
        )
    )


class ReportFactory(DjangoModelFactory):
    """A file from the staff, all read."""

    reference = factory.Sequence(lambda n: f"R-{n:010d}")
    source = factory.SubFactory(SourceFactory)
    way = Report.Way.FILE
    digest = factory.LazyAttribute(lambda o: hashlib.sha256(o.reference.encode()).digest())
    received_at = NOON - 3 * HOUR
    finished_at = NOON - 3 * HOUR
    total = 1
    done = 1
    by = "system:test"

    class Meta:
        model = Report


class ReportLineFactory(DjangoModelFactory):
    """The line that opened a notice."""

    report = factory.SubFactory(ReportFactory)
    number = 1
    outcome = ReportLine.Outcome.NEW
    notice = factory.SubFactory(NoticeFactory)
    content = factory.LazyAttribute(lambda o: o.notice.content if o.notice else None)

    class Meta:
        model = ReportLine

    class Params:
        rejected = factory.Trait(outcome="rejected", reason="not_a_url", notice=None, content=None)
        quarantined = factory.Trait(
            outcome="quarantined",
            reason="userinfo",
            notice=None,
            content=factory.SubFactory(ContentFactory),
        )

    @classmethod
    def _create(cls, model_class: type[ReportLine], *args: Any, **fields: Any) -> ReportLine:
        texts = {name: fields.pop(name) for name in ("raw", "referrer", "note") if name in fields}
        line = model_class(**fields)
        for name, text in texts.items():
            setattr(line, name, text)
        line.save(force_insert=True)
        return line


class MailSenderFactory(DjangoModelFactory):
    """A partner's address that a second person approved."""

    pattern = "reports@partner.example"
    source = factory.SubFactory(SourceFactory, code="partner")
    language = "en"
    added_at = NOON - timedelta(days=30)
    added_by = "user:1"
    approved_at = NOON - timedelta(days=29)
    approved_by = "user:2"

    class Meta:
        model = MailSender


class ReplyMailFactory(DjangoModelFactory):
    """A mail that came back to a message at NOON, and was filed: a receipt unless `kind` says otherwise."""

    dispatch = factory.SubFactory(DispatchFactory, accepted=True)
    reference = factory.Sequence(lambda n: f"M-TEST-{n:06d}")
    message_key = factory.LazyAttribute(lambda o: hashlib.sha256(o.reference.encode()).digest())
    content_key = factory.SelfAttribute("message_key")
    received_at = NOON
    size_bytes = 1_000
    kind = ReplyMail.Kind.RECEIPT
    state = ReplyMail.State.FILED
    matched_by = ReplyMail.Match.RETURN_PATH

    class Meta:
        model = ReplyMail

    @classmethod
    def _create(cls, model_class: type[ReplyMail], *args: Any, **fields: Any) -> ReplyMail:
        with transaction.atomic():
            mail = model_class(**fields)
            mail.save(force_insert=True)
            record("receive", "reply_mail", mail.pk, by=SYSTEM, at=mail.received_at, became=mail.state)
        return mail
