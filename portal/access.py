"""Who may come through a door of the portal, and what exists for them behind it."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from accounts import rows
from accounts.models import User
from audit.record import Actor
from cases.models import Notice
from cases.models.notice import NoticeQuerySet
from cases.services import forwarding
from providers.models import Provider

P = ParamSpec("P")
#: What stands behind a door: it knows who came in.
Inner = Callable[Concatenate[HttpRequest, "Visitor", P], HttpResponse]


@dataclass(frozen=True)
class Visitor:
    """A logged-in person of a provider."""

    user: User
    provider_id: int

    @property
    def actor(self) -> Actor:
        """How the audit knows the person."""
        return Actor.of(self.user)

    @property
    def notices(self) -> NoticeQuerySet:
        """All that exists for this person: the provider's own, once sent."""
        return self._own.all()

    @cached_property
    def _own(self) -> NoticeQuerySet:
        """Put together once; a page asks for it several times, each time as a copy that has read nothing yet."""
        return Notice.objects.of(self.provider_id)

    def customers(self) -> dict[int, Provider]:
        """Whom a notice may be said to be forwarded to, beside a name that is typed."""
        return forwarding.customers_of(self.provider_id, now=timezone.now())

    def notice(self, reference: str) -> Notice:
        """The notice with its place and rule. Raises Http404, for another provider's as for none."""
        found = (
            self.notices.select_related("content", "attribution", "rule").filter(reference=reference).first()
        )
        if found is None:
            raise Http404
        return found


def door(cell: str, *, calls_out: bool = False) -> Callable[[Inner[P]], Callable[..., HttpResponse]]:
    """For people of a provider whose role has portal.enter and `cell`; others get the log-in, or 403.

    What stands behind runs in one transaction among the provider's own rows. `calls_out`: it speaks to the network, for
    which no transaction waits; it says itself by `rows.only_of` when it looks for what the request names.
    """

    def of(view: Inner[P]) -> Callable[..., HttpResponse]:
        @login_required
        @wraps(view)
        def entered(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            user = request.user
            if (
                not isinstance(user, User)
                or user.provider_id is None
                or not (user.may("portal.enter") and user.may(cell))
            ):
                raise PermissionDenied
            with nullcontext() if calls_out else rows.only_of(user.provider_id):
                return view(request, Visitor(user, user.provider_id), *args, **kwargs)

        entered.cell = cell  # type: ignore[attr-defined]  # the test of the permission table reads it
        return entered

    return of
