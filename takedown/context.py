"""What every page knows: who runs the house, where the reader may go, what the clock says."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from itertools import groupby
from typing import Final, NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import ROLE_CHOICES
from takedown.env import Organisation
from takedown.templatetags.house import words


class Desk(NamedTuple):
    """A place in the bar at the top: `current` if the reader is there."""

    name: str | Promise
    about: str | Promise
    href: str
    current: bool


class Menu(NamedTuple):
    """Desks of the bar behind one word: what is not opened every hour."""

    name: str | Promise
    desks: list[Desk]
    current: bool


class Place(NamedTuple):
    """A desk as the table below has it: a URL name, the cell that opens it, its name and what it is for.

    Neighbours with the same `menu` stand behind that word in the bar, unless a person has only one of them.
    """

    url_name: str
    cell: str
    name: str | Promise
    about: str | Promise
    menu: str | Promise = ""


_REPORTS: Final = pgettext_lazy("a menu of desks", "Reports")
_SENDING: Final = pgettext_lazy("a menu of desks", "Sending")
_OVERDUE: Final = pgettext_lazy("a menu of desks", "Overdue")
_PROVIDERS: Final = pgettext_lazy("a menu of desks", "Providers")
_SETTINGS: Final = pgettext_lazy("a menu of desks", "Settings")
_OURS: Final = pgettext_lazy("a menu of desks", "Your organisation")

STAFF: Final = (
    Place("admin:work", "notice.assess", pgettext_lazy("a desk", "Work"), _("The next notice to judge")),
    Place(
        "admin:cases_notice_changelist", "notice.view", pgettext_lazy("a desk", "Search"), _("All notices")
    ),
    Place(
        "admin:cases_report_changelist",
        "report.view",
        _("Reports"),
        _("What came in, and its receipt"),
        _REPORTS,
    ),
    Place(
        "admin:quarantine",
        "quarantine.view",
        _("Quarantine"),
        _("Doubtful addresses: do they count?"),
        _REPORTS,
    ),
    Place(
        "admin:mailbox", "mailbox.view", _("Mail"), _("Mail from partners that waits for a person"), _REPORTS
    ),
    Place(
        "admin:mail_senders",
        "mail_sender.view",
        _("Partners by mail"),
        _("Whose mail may become a report"),
        _REPORTS,
    ),
    Place(
        "admin:cases_secondlook_changelist",
        "second.view",
        _("Second judgements"),
        _("Where two judge differently, and how often"),
    ),
    Place("admin:outbox", "dispatch.view", _("Outbox"), _("Messages on their way to providers"), _SENDING),
    Place(
        "admin:replies",
        "reply.view",
        _("What comes back"),
        _("Bounces, and what providers write"),
        _SENDING,
    ),
    Place(
        "admin:cases_message_changelist",
        "message.view",
        pgettext_lazy("a desk", "Questions"),
        _("What providers ask and object"),
        _SENDING,
    ),
    Place(
        "admin:disagreements",
        "claim.view",
        _("Disagreements"),
        _("They say removed, we see it or cannot tell"),
        _SENDING,
    ),
    Place(
        "admin:cases_originrequest_changelist",
        "origin.view",
        pgettext_lazy("a desk", "Origins"),
        _("Which server is behind a CDN"),
        _SENDING,
    ),
    Place(
        "admin:cases_messagetemplate_changelist",
        "letter.view",
        pgettext_lazy("a desk", "Letters"),
        _("The words of our messages"),
        _SENDING,
    ),
    Place("admin:overdue", "overdue.view", _("Overdue"), _("Past the term, not proven gone"), _OVERDUE),
    Place("admin:overdue_steps", "step.view", _("Steps"), _("What asks for a person now"), _OVERDUE),
    Place("admin:overdue_calls", "step.view", _("Calls"), _("Which providers to telephone"), _OVERDUE),
    Place(
        "admin:checks",
        "check.view",
        pgettext_lazy("a desk", "Checks"),
        _("Who looks whether it is still there, and whether they keep up"),
        _OVERDUE,
    ),
    Place(
        "admin:providers_provider_changelist",
        "provider.view",
        _("Providers"),
        _("Who hosts, and where to write"),
        _PROVIDERS,
    ),
    Place(
        "admin:contacts",
        "contact.view",
        _("Contacts"),
        _("Who can be reached, and who sees to it"),
        _PROVIDERS,
    ),
    Place(
        "admin:why",
        "provider.view",
        _("Why this provider?"),
        _("Who hosts an address just now, and why we say so"),
        _PROVIDERS,
    ),
    Place(
        "admin:cases_deadlinerule_changelist",
        "rule.view",
        _("Terms"),
        _("How long a provider has"),
        _SETTINGS,
    ),
    Place(
        "admin:cases_vocabulary_changelist",
        "words.view",
        pgettext_lazy("a desk", "Words"),
        _("What a judgement can say"),
        _SETTINGS,
    ),
    Place(
        "admin:accounts_user_changelist",
        "user.view",
        _("People"),
        _("Who may log in, and as what"),
        _SETTINGS,
    ),
    Place(
        "admin:accounts_invitation_changelist",
        "invitation.view",
        _("Invitations"),
        _("People of providers who may set up an account"),
        _SETTINGS,
    ),
    Place(
        "admin:accounts_recovery_changelist",
        "user.recover",
        _("New ways in"),
        _("For who lost every passkey, app and code"),
        _SETTINGS,
    ),
    Place(
        "admin:accounts_apikey_changelist", "key.view", _("Keys"), _("Machines that call the API"), _SETTINGS
    ),
    Place(
        "admin:audit_event_changelist",
        "audit.view",
        pgettext_lazy("the audit", "Record"),
        _("Who did what, when"),
        _SETTINGS,
    ),
)
PORTAL: Final = (
    Place("portal:notices", "own_notice.view", _("Notices"), _("What is with you")),
    Place("portal:scorecard", "own_scorecard.view", _("Your figures"), _("How your notices are followed")),
    Place("portal:colleagues", "member.view", _("Colleagues"), _("Who sees and answers your notices"), _OURS),
    Place("portal:contacts", "own_contact.view", _("Contacts"), _("Where the hotline reaches you"), _OURS),
    Place(
        "portal:webhooks",
        "own_webhook.view",
        _("Webhooks"),
        _("Your endpoints, and what went to them"),
        _OURS,
    ),
    Place(
        "portal:notifications", "own_mail.choose", _("Notifications"), _("What you are told by mail"), _OURS
    ),
    Place("portal:keys", "own_key.view", _("Keys"), _("Your machines that call the API"), _OURS),
    Place("portal:links", "own_link.view", _("Links"), _("What opens by a link in our mails"), _OURS),
)


@dataclass
class House:
    """The house as seen by one request. Nothing is read before a template asks for it."""

    request: HttpRequest

    @property
    def organisation(self) -> Organisation:
        """Who runs this hotline: name, postal address, phone."""
        return settings.HOST.organisation

    @property
    def sender_address(self) -> str:
        """Where notices come from and answers go."""
        return str(settings.HOST.sender_address)

    @property
    def dry_run_address(self) -> str:
        """Where all outgoing notices go instead of to providers; "" when they go to providers."""
        return str(settings.HOST.dry_run_address)

    @property
    def demo(self) -> bool:
        """Whether this is the demo world."""
        return bool(settings.HOST.demo)

    @property
    def second_factor_waived(self) -> bool:
        """Whether this is a demo world that a password alone opens."""
        return bool(settings.HOST.demo and not settings.HOST.second_factor)

    @property
    def api_docs(self) -> str:
        """Where the API is explained; one of the addresses that other programs rely on."""
        return "/api/v1/docs/"

    @cached_property
    def now(self) -> datetime:
        """The server's clock when the page was made."""
        return timezone.now()

    @cached_property
    def words(self) -> str:
        """What the browser's modules say, as JSON."""
        return words()

    @property
    def desks(self) -> list[Desk]:
        """Where this person may go: staff's desks, or the provider's; none for a guest."""
        return [desk for _menu, desk in self._desks]

    @property
    def here(self) -> Desk | None:
        """The desk that the reader is at; None on the start page."""
        return next((desk for desk in self.desks if desk.current), None)

    @cached_property
    def bar(self) -> list[Desk | Menu]:
        """The same desks as the bar shows them: those of a menu are together behind its word."""
        entries: list[Desk | Menu] = []
        for menu, pairs in groupby(self._desks, key=lambda pair: pair[0]):
            desks = [desk for _menu, desk in pairs]
            if menu and len(desks) > 1:
                entries.append(Menu(menu, desks, any(desk.current for desk in desks)))
            else:
                entries += desks
        return entries

    @cached_property
    def _desks(self) -> list[tuple[str | Promise, Desk]]:
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            return []
        places = PORTAL if user.provider_id else STAFF
        found = [
            (place, href) for place in places if user.has_perm(place.cell) and (href := _href(place.url_name))
        ]
        # The innermost place that holds this path: /staff/work/ before /staff/.
        inside = [href for _place, href in found if self.request.path.startswith(href)]
        here = max(inside, key=len, default=None)
        return [(place.menu, Desk(place.name, place.about, href, href == here)) for place, href in found]

    @cached_property
    def roles(self) -> list[str | Promise]:
        """What this person does here, in words."""
        user = getattr(self.request, "user", None)
        held = set(getattr(user, "roles", ()))
        return [label for role, label in ROLE_CHOICES if role in held]


@cache
def _href(url_name: str) -> str | None:
    """The address of a desk; None while the app that has it is not installed. Every page has two dozen: found once."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None


def house(request: HttpRequest) -> dict[str, House]:
    """The context processor: `{{ house.organisation.name }}`, `{% for desk in house.desks %}`."""
    return {"house": House(request)}
