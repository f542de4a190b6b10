"""Taking up an invitation: a link opens a page, a press takes it up, and a second factor makes the account.

Opening the link changes nothing, because programs that look at mail open links as well.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import factors, services, throttle
from accounts.client import address_of
from accounts.forms import PasswordForm
from accounts.models import Invitation, User
from accounts.views.ceremonies import Enrolment, codes_page
from accounts.views.coming_in import begin_session

#: In the session, from the press until the account is made.
_JOINING: Final = "joining"
_JOINING_LASTS: Final = timedelta(minutes=30)


class NameForm(forms.Form):
    """What somebody new is called."""

    name = forms.CharField(
        label=gettext_lazy("Your name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )


class Joining(NamedTuple):
    """An invitation that is being taken up, and by whom."""

    invitation: Invitation
    user: User


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """What the link is for, and the press that takes it up."""
    now = timezone.now()
    try:
        throttle.let_in("login", address_of(request), now=now)
    except throttle.TooOften as refusal:
        return render(
            request,
            "account/no_invitation.html",
            {"fault": str(refusal)},
            status=HTTPStatus.TOO_MANY_REQUESTS,
        )
    found = services.invitation_of(token, now=now)
    if found is None:
        return render(request, "account/no_invitation.html", status=HTTPStatus.NOT_FOUND)
    new = found.person is None
    form = NameForm(request.POST if request.method == "POST" else None) if new else None
    if request.method == "POST" and (form is None or form.is_valid()):
        name = form.cleaned_data["name"] if form else ""
        person_id = services.next_person() if found.person is None else found.person.pk
        request.session.flush()
        request.session[_JOINING] = {"id": found.pk, "at": now.timestamp(), "name": name, "person": person_id}
        return redirect("join")
    context = {"invitation": found, "form": form}
    return render(request, "account/invitation.html", context, status=422 if form and form.errors else 200)


def _joining(request: HttpRequest) -> Joining | None:
    kept: dict[str, Any] | None = request.session.get(_JOINING)
    now = timezone.now()
    if not kept or now - datetime.fromtimestamp(kept["at"], UTC) > _JOINING_LASTS:
        return None
    found = (
        Invitation.objects.open(now=now).select_related("provider", "person").filter(pk=kept["id"]).first()
    )
    if found is None:
        return None
    language = get_language() or settings.LANGUAGE_CODE
    new = User(pk=kept["person"], email=found.email, name=kept["name"], language=language)
    return Joining(found, found.person or new)


@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest) -> HttpResponse:
    """Set up a passkey, or a password and an app; with that the account is made, and its person is in."""
    joining = _joining(request)
    if joining is None:
        return render(request, "account/no_invitation.html", status=HTTPStatus.NOT_FOUND)
    now, found, user = timezone.now(), joining.invitation, joining.user
    by_app = "code" in request.POST
    password = PasswordForm(request.POST if by_app else None, user=user)
    enrolment = Enrolment(request, user)

    def begin() -> None:
        services.take_up(
            invitation_id=found.pk,
            person_id=user.pk,
            name=user.name,
            language=user.language,
            password=password.cleaned_data["password"] if by_app else "",
            now=now,
        )

    if not by_app or password.is_valid():
        enrolment.keep(now=now, begin=begin)
    if not enrolment.kept:
        return enrolment.page("account/join.html", invitation=found, password=password)
    after = resolve_url("home")
    way_in = begin_session(request, User.objects.get(pk=user.pk), after, how=enrolment.kept, now=now)
    response = codes_page(request, enrolment.codes, after=after)
    response.cookies = way_in.cookies
    return response


@require_POST
def join_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make the passkey of somebody who is invited."""
    joining = _joining(request)
    if joining is None:
        return JsonResponse({"detail": ""}, status=HTTPStatus.NOT_FOUND)
    return JsonResponse(factors.new_passkey_options(joining.user))
