"""Content at one provider: the unit of judgement, clock and statistics; a state machine."""

import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Final

import pgtrigger
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _
from django_fsm import FSMField, transition

from cases import removal
from cases.models.content import Content
from cases.models.guard import state_guard
from cases.priority import Priority, priority_of
from providers.models import Attribution, Provider

# Crockford's alphabet: no I, L, O, U, so that a reference survives the telephone.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def reference_pattern(prefix: str) -> str:
    """What a reference looks like, as a regular expression."""
    return rf"{prefix}[{_ALPHABET}]{{10}}"


NOTICE_REFERENCE: Final = reference_pattern("N-")


def spelled(bits: int, characters: int) -> str:
    """The last five `bits` for each of so many `characters`, as people read and type them."""
    return "".join(_ALPHABET[bits >> 5 * place & 31] for place in reversed(range(characters)))


def new_reference(prefix: str) -> str:
    """`prefix` and ten random characters (50 bits): says nothing about how many there are."""
    return prefix + spelled(secrets.randbits(50), 10)


def new_notice_reference() -> str:
    """The reference of a notice."""
    return new_reference("N-")


class DeadlineRule(models.Model):
    """The provider's term from an instant on. A later rule never touches a clock that runs."""

    version = models.PositiveIntegerField(_("version"), unique=True)
    term = models.DurationField(_("term"))
    valid_from = models.DateTimeField(_("valid from"), unique=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    by = models.CharField(_("by"), max_length=40)

    class Meta:
        verbose_name = _("deadline rule")
        verbose_name_plural = _("deadline rules")
        ordering = ["-valid_from", "pk"]
        constraints = [
            models.CheckConstraint(name="rule_term_is_positive", condition=Q(term__gt="0 seconds")),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"v{self.version}: {self.term}"


def is_address(text: str) -> bool:
    """Whether it is an IP address; one with a zone ("%eth0") is none of a server."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def was_sent(notice: models.Model) -> bool:
    """Handed over at least to our own relay: it can be taken back, and not dismissed any more."""
    return isinstance(notice, Notice) and notice.sent_at is not None


def was_not_sent(notice: models.Model) -> bool:
    """Nothing has left yet."""
    return not was_sent(notice)


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Filters that mean one thing everywhere."""

    def open(self) -> "NoticeQuerySet":
        """With the provider, and not proven gone."""
        return self.filter(state__in=[Notice.State.NOTIFIED, Notice.State.ESCALATED])

    def overdue(self, *, now: datetime) -> "NoticeQuerySet":
        """The term ended without proven removal; true whether or not a sweep has recorded it."""
        return self.open().filter(due_at__lte=now)

    def run_out(self, *, now: datetime) -> "NoticeQuerySet":
        """Overdue and not recorded as such yet: what the deadline sweep looks for."""
        return self.filter(state=Notice.State.NOTIFIED, due_at__lte=now)

    def to_assess(self, *, now: datetime) -> "NoticeQuerySet":
        """Waits for an analyst: received, not judged, not held."""
        return self.filter(state=Notice.State.RECEIVED, assessed_at__isnull=True).filter(
            Q(hold="") | Q(hold_until__lte=now)
        )

    def held(self, *, now: datetime) -> "NoticeQuerySet":
        """Kept back by a person or a rule, and not yet over."""
        return self.filter(state=Notice.State.RECEIVED).exclude(hold="").exclude(hold_until__lte=now)

    def to_route(self, *, now: datetime) -> "NoticeQuerySet":
        """Judged illegal, not held, and on no dispatch yet."""
        return self.filter(
            state=Notice.State.RECEIVED, assessed_at__isnull=False, routed_at__isnull=True
        ).filter(Q(hold="") | Q(hold_until__lte=now))

    def judged_late(self, *, now: datetime, within: timedelta) -> "NoticeQuerySet":
        """Still to judge, and longer with us than we allow ourselves."""
        return self.to_assess(now=now).filter(received_at__lte=now - within)

    def arrives_late(self, *, now: datetime, within: timedelta) -> "NoticeQuerySet":
        """Judged illegal, and not known to be with its provider in the time that we allow ourselves."""
        return self.filter(state=Notice.State.RECEIVED, assessed_at__lte=now - within)

    def hold_ended(self, *, now: datetime) -> "NoticeQuerySet":
        """Kept back until a moment that has passed, and nothing was done since."""
        return self.filter(state=Notice.State.RECEIVED, hold_until__lte=now).exclude(hold="")

    def checks_due(self, *, now: datetime) -> "NoticeQuerySet":
        """Waits for the checker and is with none."""
        return self.filter(next_check_at__lte=now).filter(
            Q(check_leased_until__isnull=True) | Q(check_leased_until__lte=now)
        )

    def of(self, provider_id: int) -> "NoticeQuerySet":
        """What a provider may know of: its own, and only once dispatched. The one scope of every door."""
        return self.filter(provider_id=provider_id, sent_at__isnull=False)

    def unfinished(self) -> "NoticeQuerySet":
        """Sent, and neither proven gone nor taken back; whether or not it is known to have arrived."""
        return self.filter(
            state__in=[Notice.State.RECEIVED, Notice.State.NOTIFIED, Notice.State.ESCALATED],
            sent_at__isnull=False,
        )

    def contradicted(self) -> "NoticeQuerySet":
        """The provider says that it is removed, and our last look since then that could tell saw it online."""
        return self.open().filter(claim_answer=Notice.ClaimAnswer.STILL_REACHABLE)

    def untold(self, *, now: datetime, within: timedelta) -> "NoticeQuerySet":
        """Claims that no look could answer within the time that we allow ourselves: a person must look."""
        return self.open().filter(
            claim_answer__in=[Notice.ClaimAnswer.WAITING, Notice.ClaimAnswer.CANNOT_TELL],
            claimed_removed_at__lte=now - within,
        )

    def placed_at(self, addresses: Collection[str]) -> "NoticeQuerySet":
        """At one of these addresses, of which "" stands for none that we know. What is no address is nowhere."""
        known = [each for each in addresses if each and is_address(each)]
        unknown = Q(attribution__address__isnull=True) if "" in addresses else Q()
        if not known:
            return self.filter(unknown) if unknown else self.none()
        return self.filter(unknown | Q(attribution__address__in=known))

    def placed_within(self, network: str) -> "NoticeQuerySet":
        """At an address of `network` ("192.0.2.0/24", or one address); "" means at none that we know."""
        if not network:
            return self.filter(attribution__address__isnull=True)
        within = Func(
            F("attribution__address"),
            Value(network),
            template="(%(expressions)s)",
            arg_joiner=" <<= ",
            output_field=models.BooleanField(),
        )
        return self.filter(within)


#: The edges of the machine: for the database's guard and for sets; a test holds them to the methods below.
EDGES: Sequence[tuple[str, str]] = (
    ("received", "notified"),
    ("received", "dismissed"),
    # Sent, but not known to have arrived: held by `notice_withdrawn_was_sent`.
    ("received", "withdrawn"),
    ("notified", "escalated"),
    ("notified", "removed"),
    ("notified", "withdrawn"),
    ("escalated", "removed"),
    ("escalated", "withdrawn"),
    # What was taken for its arrival came back: it never had a clock.
    ("notified", "received"),
    ("escalated", "received"),
)


class Notice(models.Model):
    """Content at one provider.

    States are where it is; what we know of it are facts with an instant. The row is narrow because it is
    updated often: what is written once stands on Content.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("received")
        NOTIFIED = "notified", _("notified")
        REMOVED = "removed", _("removed")
        ESCALATED = "escalated", _("escalated")
        DISMISSED = "dismissed", _("dismissed")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Hold(models.TextChoices):
        NONE = "", _("not held")
        POLICE_FIRST = "police_first", _("police first")
        CONTACT_REVIEW = "contact_review", _("contact under review")
        SECOND_ASSESSMENT = "second_assessment", _("second assessment")

    class Review(models.TextChoices):
        """Why routing stopped: the part of a contact review that a sweep can say."""

        NOBODY_FOUND = "nobody_found", _("Nobody was found who hosts it.")
        CDN_ORIGIN = (
            "cdn_origin",
            _("A CDN or proxy stands before the server: it is asked for the origin first."),
        )
        NO_CONTACT = "no_contact", _("The provider has no approved contact that is in use.")
        MOVED = "moved", _("Another provider hosts it now than when it was judged.")
        POLICE = "police", _("The police see it first, by what was judged.")
        SECOND = "second", _("A second person judges it before it is sent.")

    class ClaimAnswer(models.TextChoices):
        """What we say to the provider's last claim of removal. It never moves the state: removal has its own rule."""

        NONE = "", _("no claim")
        WAITING = removal.WAITING, _("a check is on its way")
        CONFIRMED = removal.CONFIRMED, _("confirmed: our check no longer finds it")
        STILL_REACHABLE = removal.STILL_REACHABLE, _("still reachable: our check sees it")
        CANNOT_TELL = removal.CANNOT_TELL, _("our check cannot tell")
        ACCEPTED = removal.ACCEPTED, _("cannot be told: one of us has looked")
        PROVEN = removal.PROVEN, _("removal is proven")

    class Dismissal(models.TextChoices):
        NOT_ILLEGAL = "not_illegal", _("not illegal")
        CANNOT_JUDGE = "cannot_judge", _("cannot be judged")
        HOSTED_ABROAD = "hosted_abroad", _("hosted abroad")
        GONE_BEFORE_NOTICE = "gone_before_notice", _("gone before notice")
        DUPLICATE = "duplicate", _("duplicate")

    class Withdrawal(models.TextChoices):
        OBJECTION_UPHELD = "objection_upheld", _("objection upheld")
        WRONG_PROVIDER = "wrong_provider", _("wrong provider")
        MOVED = "moved", _("moved")
        JUDGED_AGAIN = "judged_again", _("not illegal after a second judgement")

    reference = models.CharField(_("reference"), max_length=12, unique=True, default=new_notice_reference)
    content = models.ForeignKey(Content, models.PROTECT, related_name="notices", verbose_name=_("content"))
    # db_index=False: `notice_of_provider` begins with it.
    provider = models.ForeignKey(
        Provider,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="notices",
        verbose_name=_("provider"),
        db_index=False,
    )
    attribution = models.ForeignKey(
        Attribution, models.PROTECT, null=True, blank=True, related_name="notices", db_index=False
    )
    previous = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="followers",
        verbose_name=_("previous notice"),
    )
    state = FSMField(_("state"), max_length=10, default=State.RECEIVED, choices=State.choices, protected=True)
    closed_because = models.CharField(
        _("closed because"), max_length=20, blank=True, choices=[*Dismissal.choices, *Withdrawal.choices]
    )
    legal_class = models.CharField(_("class"), max_length=12, blank=True)
    urgent = models.BooleanField(_("urgent"), default=False)
    hold = models.CharField(_("hold"), max_length=20, blank=True, choices=Hold.choices, default=Hold.NONE)
    hold_review = models.CharField(_("review"), max_length=12, blank=True, choices=Review.choices)
    hold_reason = models.CharField(_("reason of the hold"), max_length=300, blank=True)
    hold_by = models.CharField(_("held by"), max_length=40, blank=True)
    hold_until = models.DateTimeField(_("held until"), null=True, blank=True)
    # Its earlier notice was removed: the material is back.
    came_back = models.BooleanField(_("came back"), default=False, db_default=False, editable=False)
    # Reports of more than one source name it.
    corroborated = models.BooleanField(_("several sources"), default=False, db_default=False, editable=False)
    # Derived: always equal to `its_priority`. Stored so that the next notice to judge is the first of an index.
    priority = models.PositiveSmallIntegerField(
        _("priority"), default=int(Priority.REST), db_default=int(Priority.REST), editable=False
    )

    received_at = models.DateTimeField(_("received"))
    assessed_at = models.DateTimeField(_("assessed"), null=True, blank=True)
    routed_at = models.DateTimeField(_("routed"), null=True, blank=True)
    # Handed over; whether their server accepted it is `notified_at`.
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    notified_at = models.DateTimeField(_("notified"), null=True, blank=True)
    # True when our own relay's acceptance was the only evidence at hand.
    notified_estimated = models.BooleanField(_("estimated"), default=False)
    rule = models.ForeignKey(
        DeadlineRule, models.PROTECT, null=True, blank=True, verbose_name=_("deadline rule"), db_index=False
    )
    # Derived: always equal to deadlines.due_at(notified_at, rule.term). Stored so that a sweep can use an index.
    due_at = models.DateTimeField(_("due"), null=True, blank=True, editable=False)
    acknowledged_at = models.DateTimeField(_("acknowledged"), null=True, blank=True)
    claimed_removed_at = models.DateTimeField(_("claimed removed"), null=True, blank=True)
    # The answer to the claim of that instant; the verdicts beside say when, and by which look.
    claim_answer = models.CharField(
        _("answer to the claim"),
        max_length=15,
        blank=True,
        choices=ClaimAnswer.choices,
        default=ClaimAnswer.NONE,
        db_default="",
    )
    disputed_at = models.DateTimeField(_("disputed"), null=True, blank=True)
    # A second person judged again, and the notice stands.
    objection_rejected_at = models.DateTimeField(_("objection rejected"), null=True, blank=True)
    last_seen_online_at = models.DateTimeField(_("last seen online"), null=True, blank=True)
    gone_since = models.DateTimeField(_("gone since"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    escalated_at = models.DateTimeField(_("escalated"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("next check"), null=True, blank=True, editable=False)
    check_leased_until = models.DateTimeField(null=True, blank=True, editable=False)
    customer_reference = models.CharField(_("customer reference"), max_length=100, blank=True)
    version = models.PositiveIntegerField(default=0, editable=False)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="notice_state_exists",
                condition=Q(
                    state__in=["received", "notified", "removed", "escalated", "dismissed", "withdrawn"]
                ),
            ),
            models.CheckConstraint(
                name="notice_clock_is_whole",
                condition=Q(notified_at__isnull=True, rule__isnull=True, due_at__isnull=True)
                | Q(notified_at__isnull=False, rule__isnull=False, due_at__gt=F("notified_at")),
            ),
            models.CheckConstraint(
                name="notice_sent_has_clock_and_provider",
                condition=Q(state__in=["received", "dismissed"])
                | Q(state="withdrawn")
                | Q(notified_at__isnull=False, provider__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_never_sent_has_no_clock",
                condition=~Q(state__in=["received", "dismissed"]) | Q(notified_at__isnull=True),
            ),
            models.CheckConstraint(
                name="notice_removed_is_proven",
                condition=~Q(state="removed") | Q(gone_since__isnull=False, removed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_escalated_is_dated",
                condition=~Q(state="escalated") | Q(escalated_at__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_closed_says_why",
                condition=~Q(state__in=["dismissed", "withdrawn"])
                | (Q(closed_at__isnull=False) & ~Q(closed_because="")),
            ),
            models.CheckConstraint(
                name="notice_withdrawn_was_sent",
                condition=~Q(state="withdrawn") | Q(sent_at__isnull=False),
            ),
            models.CheckConstraint(
                name="notice_dismissed_was_not_sent",
                condition=~Q(state="dismissed") | Q(sent_at__isnull=True),
            ),
            models.CheckConstraint(
                name="notice_instants_in_order",
                condition=(Q(assessed_at__isnull=True) | Q(assessed_at__gte=F("received_at")))
                & (Q(routed_at__isnull=True) | Q(routed_at__gte=F("assessed_at")))
                & (Q(sent_at__isnull=True) | Q(sent_at__gte=F("routed_at")))
                & (Q(notified_at__isnull=True) | Q(notified_at__gte=F("sent_at"))),
            ),
            models.CheckConstraint(
                name="notice_hold_says_why", condition=Q(hold="") | ~Q(hold_reason="") | ~Q(hold_review="")
            ),
            # One open notice per content and provider; two reports of one URL meet here, also in parallel.
            models.UniqueConstraint(
                fields=["content", "provider"],
                condition=Q(state__in=["received", "notified", "escalated"]),
                nulls_distinct=False,
                name="notice_open_once",
            ),
        ]
        indexes = [
            # What waits, and only that: the cost of a sweep follows the rows that are due.
            models.Index(fields=["due_at", "id"], name="notice_clock_runs", condition=Q(state="notified")),
            # Wider than `notice_clock_runs`, so that the planner never takes it for the deadline sweep, which would
            # then walk past all that has escalated.
            models.Index(
                fields=["due_at", "id"],
                include=["state"],
                name="notice_open",
                condition=Q(state__in=["notified", "escalated"]),
            ),
            models.Index(
                fields=["priority", "received_at", "id"],
                name="notice_to_judge",
                condition=Q(state="received", assessed_at__isnull=True),
            ),
            models.Index(
                fields=["assessed_at", "id"],
                name="notice_to_route",
                condition=Q(state="received", assessed_at__isnull=False, routed_at__isnull=True),
            ),
            models.Index(
                fields=["assessed_at", "id"],
                name="notice_to_arrive",
                condition=Q(state="received", assessed_at__isnull=False),
            ),
            models.Index(
                fields=["id"],
                name="notice_to_attribute",
                condition=Q(state="received", attribution__isnull=True),
            ),
            models.Index(
                fields=["next_check_at", "id"],
                name="notice_watched",
                condition=Q(next_check_at__isnull=False),
            ),
            # A look that answers a claim waits for nothing else that is due.
            models.Index(
                fields=["claimed_removed_at", "id"],
                name="notice_claim_to_check",
                condition=Q(next_check_at__lte=F("claimed_removed_at")),
            ),
            models.Index(
                fields=["provider", "due_at", "id"],
                name="notice_of_provider",
                condition=Q(sent_at__isnull=False),
            ),
            # What a provider still has to do stays quick to list beside years of what is done.
            models.Index(
                fields=["provider", "due_at", "id"],
                name="notice_unfinished",
                condition=Q(sent_at__isnull=False, state__in=["received", "notified", "escalated"]),
            ),
            # The order of the search desk. A filter that lets through one row in a hundred or more is quick along
            # it; what is rarer has an index of its own below, which only the rare rows pay for.
            models.Index(fields=["received_at", "id"], name="notice_received"),
            models.Index(
                fields=["provider", "received_at", "id"],
                name="notice_provider_received",
                condition=Q(provider__isnull=False),
            ),
            models.Index(fields=["received_at", "id"], name="notice_with_us", condition=Q(state="received")),
            models.Index(
                fields=["received_at", "id"],
                name="notice_open_received",
                condition=Q(state__in=["notified", "escalated"]),
            ),
            # One for each state: of one that begins with the state the planner thinks that its rows lie scattered,
            # and walks past all that came in since.
            *(
                models.Index(fields=["received_at", "id"], name=f"notice_{state}", condition=Q(state=state))
                for state in ("removed", "dismissed", "withdrawn")
            ),
            models.Index(
                fields=["legal_class", "received_at", "id"],
                name="notice_rare_class",
                condition=~Q(legal_class__in=["", "baseline", "not_illegal"]),
            ),
            models.Index(fields=["received_at", "id"], name="notice_urgent", condition=Q(urgent=True)),
            models.Index(
                fields=["hold", "received_at", "id"],
                name="notice_held",
                condition=Q(state="received") & ~Q(hold=""),
            ),
            models.Index(
                fields=["disputed_at", "id"],
                name="notice_disputed",
                condition=Q(state__in=["notified", "escalated"], disputed_at__isnull=False),
            ),
            models.Index(
                fields=["claim_answer", "claimed_removed_at", "id"],
                name="notice_claim_unsettled",
                condition=Q(
                    state__in=["notified", "escalated"],
                    claim_answer__in=["waiting", "still_reachable", "cannot_tell", "accepted"],
                ),
            ),
            # Rows come in the order of time, so a summary of each block finds a period; it costs next to nothing.
            BrinIndex(fields=["assessed_at"], name="notice_assessed", autosummarize=True),
            BrinIndex(fields=["notified_at"], name="notice_notified", autosummarize=True),
        ]

        triggers = state_guard("notice", EDGES)

    def __str__(self) -> str:
        return self.reference

    @property
    def masked_url(self) -> str:
        """What a screen shows of the URL."""
        return self.content.masked_url

    @property
    def its_priority(self) -> Priority:
        """What `priority` must be, from the other facts of this row."""
        return priority_of(
            held=bool(self.hold),
            urgent=self.urgent,
            came_back=self.came_back,
            corroborated=self.corroborated,
        )

    @property
    def hold_words(self) -> str:
        """Why it is held, in the reader's language."""
        return self.hold_reason or self.get_hold_review_display()

    def end_hold(self) -> None:
        """Nothing keeps it back any more."""
        self.hold, self.hold_review, self.hold_reason = self.Hold.NONE, "", ""
        self.hold_by, self.hold_until = "", None

    # -- the state machine: each method moves fields of this row and nothing else --------------------

    @transition(field=state, source=State.RECEIVED, target=State.NOTIFIED)
    def notify(self, *, at: datetime, rule: DeadlineRule, estimated: bool) -> None:
        """The provider's server accepted the first dispatch: the provider's clock starts."""
        self.notified_at, self.rule, self.notified_estimated = at, rule, estimated

    @transition(
        field=state,
        source=State.RECEIVED,
        target=State.DISMISSED,
        conditions=[was_not_sent],
    )
    def dismiss(self, *, at: datetime, because: "Notice.Dismissal") -> None:
        """Closed without ever being sent."""
        self.closed_at, self.closed_because, self.next_check_at = at, because, None
        self.end_hold()

    @transition(field=state, source=State.NOTIFIED, target=State.ESCALATED)
    def escalate(self, *, at: datetime) -> None:
        """The term ended without proven removal. `at` is the due moment, however late it is recorded."""
        self.escalated_at = at

    @transition(field=state, source=[State.NOTIFIED, State.ESCALATED], target=State.REMOVED)
    def remove(self, *, at: datetime, gone_since: datetime) -> None:
        """Sightings prove that the material is gone, since `gone_since`."""
        self.removed_at, self.gone_since = at, gone_since

    @transition(
        field=state,
        source=[State.RECEIVED, State.NOTIFIED, State.ESCALATED],
        target=State.WITHDRAWN,
        conditions=[was_sent],
    )
    def withdraw(self, *, at: datetime, because: "Notice.Withdrawal") -> None:
        """Taken back after it was sent."""
        self.closed_at, self.closed_because, self.next_check_at = at, because, None

    @transition(field=state, source=[State.NOTIFIED, State.ESCALATED], target=State.RECEIVED)
    def void(self) -> None:
        """Its message came back, and nothing else shows that it arrived: it has no clock, and is sent anew."""
        self.notified_at, self.rule, self.due_at, self.notified_estimated = None, None, None, False
        self.escalated_at = self.next_check_at = self.check_leased_until = None
        self.come_back()

    def come_back(self) -> None:
        """Its message came back: nobody has it, and it waits to be routed."""
        self.sent_at = self.routed_at = None
