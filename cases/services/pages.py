"""Which messages have a page of their own, and the link to it that their text names (docs/adr/0027)."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.conf import settings

from cases.formats.letter import ABOUT_MATERIAL, Page
from cases.formats.page import page_url
from cases.models import Dispatch, Link
from providers.models import Contact


def pages_of(dispatches: Sequence[Dispatch], *, frozen: Collection[int], now: datetime) -> dict[int, Page]:
    """dispatch -> the page that its text names; makes the links that are missing. Call it in a transaction.

    A link counts from when its message is written; the one in a text that stays as it is (`frozen`) does too.
    """
    own = {dispatch.pk: dispatch for dispatch in dispatches if _has_page(dispatch)}
    if not own:
        return {}
    links = {link.dispatch_id: link for link in Link.objects.filter(dispatch__in=own)}
    until = now + settings.HOST.link_valid
    again = [link for pk, link in links.items() if pk not in frozen]
    if again:
        Link.objects.filter(pk__in=[link.pk for link in again]).update(expires_at=until)
    for link in again:
        link.expires_at = until
    new = [
        Link(dispatch=dispatch, nonce=Link.new_nonce(), created_at=now, expires_at=until)
        for pk, dispatch in own.items()
        if pk not in links
    ]
    Link.objects.bulk_create(new)
    links |= {link.dispatch_id: link for link in new}
    return {pk: _page(link, own[pk]) for pk, link in links.items() if link.revoked_at is None}


def _has_page(dispatch: Dispatch) -> bool:
    contact = dispatch.contact
    by_mail = contact.channel == Contact.Channel.SMTP and contact.mode != Contact.Mode.API
    return by_mail and dispatch.kind in ABOUT_MATERIAL


def example(dispatch: Dispatch, *, now: datetime) -> Page | None:
    """What stands in a preview: a page that is nowhere."""
    return Page(page_url("…"), now + settings.HOST.link_valid) if _has_page(dispatch) else None


def _page(link: Link, dispatch: Dispatch) -> Page:
    link.dispatch = dispatch
    return Page(page_url(link.token), link.expires_at)
