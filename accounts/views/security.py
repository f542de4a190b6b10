"""A person's own way in: passkeys, app, recovery codes, and where they are logged in."""

import uuid
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import factors, proof, services, throttle
from accounts.client import address_of
from accounts.models import Session, User
from accounts.proof import step_up
from accounts.views.ceremonies import CodeForm, Enrolment, PasskeyForm, after, codes_page, too_often
from audit.record import Actor
from audit.refused import Refused

_BOTH: Final = ["GET", "HEAD", "POST"]


def _person(request: HttpRequest) -> User:
    """Who is logged in; only behind `login_required`."""
    user = request.user
    assert isinstance(user, User)  # mypy cannot see the decorator
    return user


@login_required
@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """What there is, and the buttons that change it."""
    user, now = _person(request), timezone.now()
    held = list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))
    codes = next((each for each in held if each.type == factors.CODES), None)
    context = {
        "passkeys": [(each, each.data["name"]) for each in held if each.type == factors.PASSKEY],
        "app": next((each for each in held if each.type == factors.APP), None),
        "codes_left": len(factors.recovery_codes(codes)) if codes else None,
        "sessions": Session.objects.open_of(user, now=now),
        "here": request.session.session_key,
    }
    return render(request, "account/security.html", context)


@login_required
@step_up
@require_http_methods(_BOTH)
def enrol(request: HttpRequest) -> HttpResponse:
    """Another passkey, or an app (which takes the place of the one there was)."""
    now = timezone.now()
    enrolment = Enrolment(request, _person(request))
    enrolment.keep(now=now)
    if not enrolment.kept:
        return enrolment.page("account/enrol.html")
    proof.prove(request, now=now)
    if enrolment.codes:
        return codes_page(request, enrolment.codes, after=resolve_url("security"))
    messages.success(request, _("It is set up."))
    return redirect("security")


@login_required
@step_up
@require_POST
def enrol_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make a passkey."""
    return JsonResponse(factors.new_passkey_options(_person(request)))


@login_required
@step_up
@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    """New recovery codes, shown once."""
    user = _person(request)
    try:
        codes = services.renew_codes(user_id=user.pk, by=Actor.of(user), now=timezone.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("security")
    return codes_page(request, codes, after=resolve_url("security"))


@login_required
@step_up
@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a passkey or the app away."""
    return _change(
        request, services.remove_factor, _("It is removed, and opens nothing any more."), factor_id=pk
    )


@login_required
@require_POST
def end_session(request: HttpRequest, number: uuid.UUID) -> HttpResponse:
    """Log out one other browser."""
    return _change(request, services.end_session, _("That browser is logged out."), number=number)


@login_required
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Log out everywhere but here."""
    return _change(
        request,
        services.end_sessions,
        _("All other browsers are logged out."),
        but=request.session.session_key,
    )


def _change(request: HttpRequest, act: Callable[..., object], done: str, **what: Any) -> HttpResponse:
    user = _person(request)
    try:
        act(user_id=user.pk, by=Actor.of(user), now=timezone.now(), **what)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done)
    return redirect("security")


# -- Once more, before something weighty ---------------------------------------------------------------------


@login_required
@require_http_methods(_BOTH)
def confirm(request: HttpRequest) -> HttpResponse:
    """Prove once more who you are: by a passkey or a code. Then back to what you were about to do."""
    user, now = _person(request), timezone.now()
    kinds = factors.kinds_of(user)
    if kinds.isdisjoint(factors.KINDS):
        if proof.is_fresh(request, now=now):
            return HttpResponseRedirect(after(request))
        # Who came in while a password was enough comes in again, and sets up a second factor on the way.
        logout(request)
        return redirect("login")
    form = CodeForm(request.POST if "code" in request.POST else None)
    try:
        how = ""
        if "credential" in request.POST:
            shown = factors.shown_passkey(PasskeyForm(request.POST).proof(), user)
            services.note_use(factor_id=shown.pk, now=now)
            how = str(factors.PASSKEY)
        elif form.is_valid():
            throttle.let_in("code", now=now, also={"account": str(user.pk)})
            how = services.use_code(user_id=user.pk, code=form.cleaned_data["code"], now=now)
    except Refused as refusal:
        services.not_logged_in(user_id=user.pk, step="step_up", now=now)
        form.is_valid()
        form.add_error(None, str(refusal))
    if how:
        proof.prove(request, now=now)
        services.proved_again(user_id=user.pk, how=how, now=now)
        return HttpResponseRedirect(after(request))
    context = {
        "form": form,
        "passkey": factors.PASSKEY in kinds,
        "next": after(request),
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound and form.errors else HTTPStatus.OK
    return render(request, "account/confirm.html", context, status=status)


@login_required
@require_POST
def confirm_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to show one of this person's passkeys."""
    try:
        throttle.let_in("login", address_of(request), now=timezone.now())
    except throttle.TooOften as refusal:
        return too_often(refusal)
    return JsonResponse(factors.passkey_options(_person(request)))
