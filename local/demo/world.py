"""The demo world's past: some days of a hotline's life, lived through the real services in the right order.

Nothing is written behind the services' back: reports come in, analysts judge, mail goes to the demo's mail
server, providers answer, sightings prove removals, terms end. Only the instants are given, so that the last of
them is now. The same seed gives the same world.
"""

import heapq
import itertools
import os
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Min, Q

from accounts.models import ApiKey, Scope, User
from accounts.roles import Role
from audit.record import Actor, record
from cases.models import ILLEGAL, Assessment, Dispatch, LegalClass, Notice, Report, SecondLook, Source, Step
from cases.services import (
    answers,
    assess,
    conversation,
    ladder,
    looks,
    mail_senders,
    observe,
    origins,
    outgoing,
    receive,
    reporter,
    route,
    second,
    sending,
)
from local.demo.hosts import RESOLVER_FILE
from local.demo.mailbox import PARTNER
from local.demo.provider import take_down
from providers import services as contacts
from providers.files import import_networks, import_providers
from providers.models import Contact, Provider
from providers.sources.resolver import StaticResolver

HERE = Path(__file__).resolve().parent
DAYS = 6
#: What Alfa has open beside its usual habits, so that its list is one to work through: how long ago, how many.
LEFT_OPEN = ((timedelta(hours=21), 9), (timedelta(hours=9), 12), (timedelta(hours=4), 7))
#: Hosts on its network, several at some addresses.
ALFAS_HOSTS = (
    "p16.forum.test",
    "p17.forum.test",
    "cdn18.pixboard.example",
    "cdn27.pixboard.example",
    "www.site31.example",
)
#: So long ago Alfa's desk began on that list.
BEGAN = timedelta(minutes=40)
#: So long ago contacts fell away: what goes to a new one since then still waits for a yes.
LOST = timedelta(hours=5)
SYSTEM = Actor.system("demo")

PEOPLE = (
    (Role.ANALYST, "analist@hotline.example", "Noor de Vries", "nl", None),
    (Role.ANALYST, "analist2@hotline.example", "Loes Mulder", "nl", None),
    (Role.LEAD, "hoofd@hotline.example", "Jip Visser", "nl", None),
    (Role.INTAKE, "intake@hotline.example", "Mees Jansen", "nl", None),
    (Role.NOTICE_DESK, "berichten@hotline.example", "Fenna Smeets", "nl", None),
    (Role.CONTACT_MANAGER, "meldadressen@hotline.example", "Teun Kuipers", "nl", None),
    (Role.SUPERVISOR, "leiding@hotline.example", "Sam Bakker", "nl", None),
    (Role.AUDITOR, "controle@hotline.example", "Isa Hendriks", "nl", None),
    (Role.FUNCTIONAL_ADMIN, "beheer@hotline.example", "Robin Smit", "nl", None),
    (Role.PROVIDER_ADMIN, "desk@alfa.test", "Alex (Alfa Hosting)", "nl", "alfa"),
    (Role.PROVIDER_MEMBER, "desk@bravo.test", "Billie (Bravo Networks)", "en", "bravo"),
)


class NotEmpty(Exception):
    """There are reports already: a demo world is only loaded into an empty database."""


@dataclass(order=True)
class _Event:
    at: datetime
    order: int
    act: Callable[[datetime], object] = field(compare=False)
    wakes: bool = field(compare=False)


class World:
    """Plays events in order of their instant, and lets the sweeps run whenever something falls due."""

    def __init__(self, *, until: datetime, seed: int, say: Callable[[str], None]) -> None:
        self.until, self.say = until, say
        self.chance = random.Random(seed)  # noqa: S311 - a world, not a secret
        self.resolver = StaticResolver(RESOLVER_FILE)
        #: Number and code of each report of the public form, oldest first.
        self.tickets: list[dict[str, str]] = []
        #: Addresses that nobody takes down.
        self.kept: set[str] = set()
        self._events: list[_Event] = []
        self._order = itertools.count()
        self._analyst = Actor.of(User.objects.get(email=PEOPLE[0][1]))
        self._second = Actor.of(User.objects.get(email=PEOPLE[1][1]))
        self._lead = Actor.of(User.objects.get(roles__contains=[Role.LEAD]))
        self._supervisor = Actor.of(User.objects.get(roles__contains=[Role.SUPERVISOR]))
        self._desks = {
            user.provider.code: Actor.of(user)
            for user in User.objects.exclude(provider=None).select_related("provider")
            if user.provider
        }

    def at(self, instant: datetime, act: Callable[[datetime], object], *, wakes: bool = False) -> None:
        """Let `act` happen at `instant`; what lies after the end of the world never does.

        `wakes`: it leaves work for the sweeps at once.
        """
        if instant <= self.until:
            heapq.heappush(self._events, _Event(instant, next(self._order), act, wakes))

    def play(self) -> None:
        """Everything, in order."""
        while True:
            due, planned = self._next_due(), self._events[0].at if self._events else None
            moments = [moment for moment in (due, planned) if moment is not None and moment <= self.until]
            if not moments:
                return
            now = min(moments)
            awake = due is not None and due <= now
            while self._events and self._events[0].at <= now:
                event = heapq.heappop(self._events)
                event.act(now)
                awake = awake or event.wakes
            if awake:
                self._sweep(now)

    def _next_due(self) -> datetime | None:
        moments = [
            Notice.objects.filter(state=Notice.State.NOTIFIED).aggregate(at=Min("due_at"))["at"],
            Step.objects.filter(taken_at=None, waits_for="").aggregate(at=Min("due_at"))["at"],
            Dispatch.objects.filter(state=Dispatch.State.PENDING)
            .exclude(Q(approved_by="") & ~Q(approval_reason=""))
            .aggregate(at=Min("next_attempt_at"))["at"],
        ]
        return min((moment for moment in moments if moment is not None), default=None)

    def _sweep(self, now: datetime) -> None:
        route.attribute_new(resolver=self.resolver, by=SYSTEM, now=now)
        route.route_due(resolver=self.resolver, by=SYSTEM, now=now)
        origins.ask_due(by=SYSTEM, now=now)
        self._approve(now)
        before = set(Notice.objects.open().values_list("pk", flat=True))
        sending.deliver_due(resolver=self.resolver, by=SYSTEM, clock=lambda: now)
        fresh = list(Notice.objects.open().exclude(pk__in=before).select_related("provider", "content"))
        if fresh:
            self._watch([notice.pk for notice in fresh], now)
        for notice in fresh:
            self._fate(notice, now)
        ladder.run_out_due(by=SYSTEM, now=now)
        ladder.take_steps_due(by=SYSTEM, now=now)
        ladder.pass_on_due(by=SYSTEM, now=now)

    def _approve(self, now: datetime) -> None:
        """The first message to each contact waits for a person: here the supervisor looks at once.

        What goes to a contact that is new in the end is left for a visitor.
        """
        if now > self.until - LOST:
            return
        waiting = Dispatch.objects.filter(state=Dispatch.State.PENDING, approved_by="").exclude(
            approval_reason=""
        )
        for pk in waiting.values_list("pk", flat=True):
            outgoing.approve(dispatch_id=pk, by=self._supervisor, now=now)

    # -- what people and providers do -------------------------------------------------------------------

    def report(self, urls: list[str], source: str, now: datetime) -> None:
        """A report comes in; its notices are judged in one sitting, some time later."""
        if source == reporter.PUBLIC:
            self._report_publicly(urls, now)
        else:
            receive.receive(
                source=Source.objects.get(code=source),
                way=Report.Way.FORM,
                lines=[receive.Line(url) for url in urls],
                by=self._analyst,
                now=now,
            )
        wait = timedelta(minutes=self.chance.randint(6, 160))
        ids = list(Notice.objects.filter(received_at=now).values_list("pk", flat=True))
        self.at(now + wait, lambda at: self._judge_all(ids, at), wakes=True)

    def _report_publicly(self, urls: list[str], now: datetime) -> None:
        """Somebody passes by: most stay anonymous, every third lets themselves be reached."""
        number = len(self.tickets)
        note = "Ik kreeg dit toegestuurd en heb niet verder gekeken." if number % 2 else ""
        lines = [receive.Line(url, referrer="een chatgroep", note=note) for url in urls]
        reached = reporter.Person(f"Melder {number + 1}", f"melder{number + 1}@reporter.example")
        taken = reporter.report_publicly(
            token=f"demo {number}",
            lines=lines,
            person=reporter.Person() if number % 3 else reached,
            by=SYSTEM,
            now=now,
        )
        self.tickets.append({"number": taken.report.reference, "code": taken.code})

    def leave_to_alfa(self, count: int, now: datetime) -> None:
        """A report of pages that stay online until somebody answers in the portal."""
        urls = [
            f"http://{ALFAS_HOSTS[number % len(ALFAS_HOSTS)]}/map/{number:02d}{count:02d}.html"
            for number in range(count)
        ]
        self.kept.update(urls)
        self.report(urls, "partner", now)

    def begin_at_alfa(self, now: datetime) -> None:
        """Its desk has begun on what is open: something of everything that a list can show."""
        own = (
            Notice.objects.open().filter(provider__code="alfa", acknowledged_at=None).order_by("due_at", "pk")
        )
        left = [
            notice for notice in own.select_related("provider", "content") if notice.content.url in self.kept
        ]
        if len(left) < 10:
            return  # a very small world
        gone, there, asked, told, *seen = left
        for notice in seen[:4]:
            self._say(notice, "acknowledged", now)
        for notice in seen[4:6]:
            expected = now + timedelta(hours=3)
            self._say(notice, "forwarded", now, forwarded_to="Winkelhosting", expected_by=expected)
        self._say(asked, "need_information", now, note="Om welke map gaat het precies?")
        self._say(there, "removed", now)
        self.at(now + timedelta(minutes=4), lambda at: self._see(there, "online", at, 200))
        self._take_down(gone, now)
        desk = Actor.of(User.objects.get(roles__contains=[Role.NOTICE_DESK]))
        text = "Dezelfde map staat ook op uw andere server. Kunt u daar meteen kijken?"
        self.at(
            now + timedelta(minutes=15),
            lambda at: conversation.write(notice_id=told.pk, text=text, by=desk, now=at),
        )

    def _judge_all(self, ids: list[int], now: datetime) -> None:
        for pk in ids:
            self._judge(pk, now)

    def _judge(self, notice_id: int, now: datetime) -> None:
        notice = Notice.objects.get(pk=notice_id)
        if notice.state != Notice.State.RECEIVED or notice.assessed_at is not None:
            return
        dice = self.chance.random()
        if dice < 0.07:
            reason = self.chance.choice(["adult", "not_found", "linking", "password"])
            kind = LegalClass.CANNOT_JUDGE if reason == "password" else LegalClass.NOT_ILLEGAL
            assess.assess(notice_id=notice_id, legal_class=kind, reason=reason, by=self._analyst, now=now)
        elif dice < 0.10:
            assess.hold(
                notice_id=notice_id,
                kind=Notice.Hold.POLICE_FIRST,
                reason="Mogelijk nieuw slachtoffer: eerst overleg met de politie.",
                until=now + timedelta(hours=24),
                by=self._analyst,
                now=now,
            )
        else:
            kind = LegalClass.NATIONAL if dice > 0.93 else LegalClass.BASELINE
            said = {
                "age_group": self.chance.choice(["prepubescent", "pubescent", ""]),
                "sex": self.chance.choice(["female", "female", "male", ""]),
                "content_type": self.chance.choice(["image", "image", "video"]),
                "site_type": self.chance.choice(["image_host", "forum", "website"]),
            }
            assess.assess(
                notice_id=notice_id,
                legal_class=kind,
                answers=said,
                urgent=dice > 0.985,
                by=self._analyst,
                now=now,
            )
        if SecondLook.objects.unread().filter(notice=notice_id).exists():
            wait = timedelta(minutes=self.chance.randint(8, 90))
            self.at(now + wait, lambda at: self._judge_again(notice_id, at), wakes=True)

    def _judge_again(self, notice_id: int, now: datetime) -> None:
        """The second analyst mostly agrees; where not, the lead decides some hours later."""
        look = SecondLook.objects.unread().filter(notice=notice_id).select_related("first").first()
        if look is None:
            return
        kind = look.first.legal_class
        if look.why == SecondLook.Why.DISPUTE or self.chance.random() > 0.9:
            kind = LegalClass.NOT_ILLEGAL if kind in ILLEGAL else LegalClass.BASELINE
        second.judge_again(
            notice_id=notice_id,
            legal_class=kind,
            reason="" if kind in ILLEGAL else look.first.reason or "adult",
            by=self._somebody_else(notice_id),
            now=now,
        )
        if SecondLook.objects.differing().filter(pk=look.pk).exists():
            wait = timedelta(minutes=self.chance.randint(60, 240))
            self.at(now + wait, lambda at: self._settle(look.pk, at), wakes=True)

    def _somebody_else(self, notice_id: int) -> Actor:
        """Who has not judged it yet: a drawn notice may be disputed later. The lead is kept for differences."""
        judged = set(Assessment.objects.filter(notice=notice_id).values_list("assessor", flat=True))
        return next(each for each in (self._second, self._supervisor) if each.user_id not in judged)

    def _settle(self, look_id: int, now: datetime) -> None:
        if SecondLook.objects.differing().filter(pk=look_id).exists():
            second.settle(look_id=look_id, stands="first", by=self._lead, now=now)

    def leave_open(self, now: datetime) -> None:
        """What a visitor finds waiting: a difference for the lead, an objection, some second judgements."""
        with_provider = Notice.objects.open().filter(disputed_at=None, second_looks=None).order_by("-pk")
        found = list(with_provider[:5])
        if len(found) < 2:
            return  # a very small world
        differing, disputed, *drawn = found
        for notice in (differing, *drawn):
            looks.want_second(notice_id=notice.pk, why=SecondLook.Why.SAMPLE, by=SYSTEM, now=now)
        second.judge_again(
            notice_id=differing.pk,
            legal_class=LegalClass.NOT_ILLEGAL,
            reason="age_unclear",
            by=self._second,
            now=now,
        )
        self._say(disputed, "dispute", now, reason="Dit is een gewone foto van een strand.")

    def lose_contacts(self, now: datetime) -> None:
        """What the notice desk and the contact manager find waiting: contacts that fell away, and new ones."""
        manager, desk = (
            Actor.of(User.objects.get(roles__contains=[role]))
            for role in (Role.CONTACT_MANAGER, Role.NOTICE_DESK)
        )
        delta, charlie = (Contact.objects.get(provider__code=code) for code in ("delta", "charlie"))
        contacts.suspend_contact(contact_id=delta.pk, reason="550 5.1.1 user unknown", by=SYSTEM, now=now)
        contacts.add_contact(
            provider_id=delta.provider_id,
            channel=Contact.Channel.SMTP,
            address="abuse@delta.test",
            mode=delta.mode,
            by=SYSTEM,
            now=now,
        )
        contacts.suspend_contact(
            contact_id=charlie.pk, reason="Hun webhook bestaat niet meer.", by=manager, now=now
        )
        other = contacts.add_contact(
            provider_id=charlie.provider_id,
            channel=Contact.Channel.SMTP,
            address="noc@charlie.test",
            mode=Contact.Mode.PORTAL,
            by=desk,
            now=now,
        )
        contacts.approve_contact(contact_id=other.pk, by=manager, now=now)

    def _fate(self, notice: Notice, now: datetime) -> None:
        """What becomes of a notice that was just accepted: decided once, by its provider's habits."""
        code = notice.provider.code if notice.provider else ""
        answers_at_all = {"alfa": 0.97, "delta": 0.75, "charlie": 0.6}.get(code, 0.0)
        if (
            notice.content.host.endswith(".live.example")
            or notice.content.url in self.kept
            or self.chance.random() > answers_at_all
        ):
            return
        hours = self.chance.lognormvariate({"alfa": 1.3, "delta": 2.2, "charlie": 3.0}[code], 0.6)
        gone_at = now + timedelta(hours=hours)
        self.at(now + timedelta(hours=hours * 0.3), lambda at: self._say(notice, "acknowledged", at))
        if self.chance.random() < 0.04:
            self.at(
                gone_at,
                lambda at: self._say(notice, "dispute", at, reason="Dit is een gewone foto van een strand."),
            )
            self.at(
                gone_at + timedelta(hours=5),
                lambda at: self._judge_again(notice.pk, at),
            )
            return
        self.at(gone_at, lambda at: self._take_down(notice, at))

    def _take_down(self, notice: Notice, now: datetime) -> None:
        if port := os.environ.get("DEMO_SITE_PORT"):
            take_down(int(port), notice.content.url)
        self._say(notice, "removed", now)
        for minutes in (1, 6, 12):
            self.at(now + timedelta(minutes=minutes), lambda at: self._see(notice, "gone", at, 404))

    def _watch(self, ids: list[int], now: datetime) -> None:
        for hours in (0.02, 6, 12, 18, 23.9, 36, 47.9, 71.9, 95.9, 119.9):
            self.at(now + timedelta(hours=hours), lambda at: self._still_online(ids, at))

    def _still_online(self, ids: list[int], now: datetime) -> None:
        there = (
            Notice.objects.open()
            .filter(pk__in=ids, claimed_removed_at=None)
            .values_list("reference", flat=True)
        )
        seen = [observe.Seen(reference, now, "online", "demo-nl-1", http_status=200) for reference in there]
        observe.observe(sightings=seen, by=SYSTEM, now=now)

    def _see(self, notice: Notice, outcome: str, now: datetime, status: int) -> None:
        seen = observe.Seen(notice.reference, now, outcome, "demo-nl-1", http_status=status)
        observe.observe(sightings=[seen], by=SYSTEM, now=now)

    def _say(self, notice: Notice, answer: str, now: datetime, **words: Any) -> None:
        code = notice.provider.code if notice.provider else ""
        answers.answer_many(
            provider_id=notice.provider_id or 0,
            answers=[answers.Answer(notice.reference, answer, **words)],
            by=self._desks.get(code, SYSTEM),
            now=now,
        )


def people(now: datetime) -> dict[str, object]:
    """Log-ins, one per role and two providers, and the keys of the demo's machines; secrets are made here."""
    logins = []
    for role, email, name, language, code in PEOPLE:
        password = f"demo-{secrets.token_hex(6)}"
        provider = Provider.objects.get(code=code) if code else None
        user = User.objects.create_user(
            email, password, name=name, roles=[role], language=language, provider=provider
        )
        record("add", "user", user.pk, by=SYSTEM, at=now, data={"roles": [role]})
        home = "/portal/" if provider else "/staff/"
        logins.append({"role": role, "email": email, "password": password, "url": settings.BASE_URL + home})
    alfa = Provider.objects.get(code="alfa")
    _key, checker = ApiKey.mint(name="demo checker", scopes=[Scope.SIGHTINGS_WRITE], provider=None)
    _key, provider_key = ApiKey.mint(
        name="demo Alfa", scopes=[Scope.NOTICES_READ, Scope.NOTICES_ANSWER], provider=alfa
    )
    return {"logins": logins, "keys": {"checker": checker, "alfa": provider_key}}


def partner_by_mail(now: datetime) -> None:
    """A partner hotline whose mail (local/demo/mailbox.py) becomes a report: one adds it, another approves."""
    added_by, approved_by = (
        Actor.of(User.objects.get(roles__contains=[role])) for role in (Role.INTAKE, Role.SUPERVISOR)
    )
    source = Source.objects.get(code="partner")
    sender = mail_senders.add_sender(
        pattern=PARTNER, source_id=source.pk, language="en", by=added_by, now=now
    )
    mail_senders.approve_sender(sender_id=sender.pk, by=approved_by, now=now)


def load(*, notices: int, now: datetime, say: Callable[[str], None]) -> dict[str, object]:
    """Make the whole world in an empty database; returns what people need to log in. Raises NotEmpty."""
    if Report.objects.exists() or User.objects.exists():
        raise NotEmpty
    with connection.cursor() as cursor:
        # An interrupted load is thrown away whole: its commits need not wait for the disk one by one.
        cursor.execute("SET synchronous_commit TO off")
    born = now - timedelta(days=DAYS)
    import_providers(HERE / "providers.csv", by=SYSTEM, now=born)
    import_networks(HERE / "networks.csv", by=SYSTEM, now=born)
    say("providers and networks are known")
    access = people(now)
    partner_by_mail(born)
    world = World(until=now, seed=20_261_123, say=say)
    for instant, source, urls in _reports(notices, born, now, world.chance):
        world.at(instant, partial(world.report, urls, source), wakes=True)
    for ago, count in LEFT_OPEN:
        world.at(now - ago, partial(world.leave_to_alfa, count), wakes=True)
    world.at(now - BEGAN, world.begin_at_alfa, wakes=True)
    world.at(now - LOST, world.lose_contacts, wakes=True)
    world.play()
    world.leave_open(now)
    say(f"{Notice.objects.count()} notices have a past")
    return access | {"reports": world.tickets}


def _reports(
    notices: int, born: datetime, now: datetime, chance: random.Random
) -> list[tuple[datetime, str, list[str]]]:
    """Reports of 1 to 12 lines over the days, thicker towards now; some lines are doubled, some need a person."""
    hosts = [row for row in RESOLVER_FILE.read_text(encoding="utf-8").splitlines()[1:] if ".live." not in row]
    names = [row.partition(";")[0] for row in hosts]
    made: list[tuple[datetime, str, list[str]]] = []
    count = 0
    while count < notices:
        size = min(chance.randint(1, 12), notices - count)
        urls = [
            f"http://{chance.choice(names)}/{chance.choice('abcdefgh')}/{chance.getrandbits(32):08x}.html"
            for _ in range(size)
        ]
        count += size
        if made and chance.random() < 0.3:
            urls.append(chance.choice(made[-1][2]))
        if chance.random() < 0.12:
            urls.append(f"http://10.0.{chance.randint(0, 255)}.7/{chance.getrandbits(24):06x}")
        # Minutes before now: the square makes the last day the busiest.
        ago = (chance.random() ** 2) * (now - born - timedelta(hours=2))
        made.append((now - ago, chance.choice(["partner", "partner", "staff", "public"]), urls))
    return sorted(made, key=lambda report: report[0])
