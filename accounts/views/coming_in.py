"""The one log-in, for staff and providers: a passkey; or a password, and then a second factor.

A password alone leads to the setting up of a second factor, and no further (unless SECOND_FACTOR is waived).
Whatever was not right, the answer is the same.
"""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from django import forms
from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts import factors, proof, services, throttle
from accounts.client import address_of
from accounts.models import User
from accounts.views.ceremonies import CodeForm, Enrolment, PasskeyForm, after, codes_page, too_often

#: In the session, between a right password and a second factor.
_HALFWAY: Final = "halfway"
_HALFWAY_LASTS: Final = timedelta(minutes=10)
_NEUTRAL: Final = gettext_lazy(
    "That did not work. The address or the password is not right, or it was tried too often."
    " Try again later, or log in with a passkey."
)
_LONGEST_PASSWORD: Final = 1000


class PasswordForm(forms.Form):
    """Who, and their password."""

    username = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=_LONGEST_PASSWORD,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class Halfway(NamedTuple):
    """Who has given a right password and no second factor yet, and where they are headed."""

    user: User
    after: str


# -- The first step --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def log_in(request: HttpRequest) -> HttpResponse:
    """The log-in page. Who is in already is led on."""
    if request.user.is_authenticated:
        return HttpResponseRedirect(after(request))
    form = PasswordForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _page(request, form)
    now = timezone.now()
    try:
        user = _by_password(request, form.cleaned_data["username"], form.cleaned_data["password"], now=now)
    except throttle.TooOften as refusal:
        form.add_error(None, str(refusal))
        response = _page(request, form, status=HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = str(refusal.retry_after_s)
        return response
    if user is None:
        form.add_error(None, _NEUTRAL)
        return _page(request, form)
    enrolled = factors.is_enrolled(user)
    if not enrolled and not settings.HOST.second_factor:
        return begin_session(request, user, after(request), how="password", now=now)
    where = after(request)
    request.session.flush()
    request.session[_HALFWAY] = {
        "user": user.pk,
        "at": now.timestamp(),
        "after": where,
        "password": user.get_session_auth_hash(),
    }
    return redirect("login_second" if enrolled else "login_enrol")


def _page(request: HttpRequest, form: PasswordForm, *, status: HTTPStatus = HTTPStatus.OK) -> HttpResponse:
    return render(request, "registration/login.html", {"form": form, "next": after(request)}, status=status)


def _by_password(request: HttpRequest, email: str, password: str, *, now: datetime) -> User | None:
    """The person, or None for every reason there is. Raises TooOften for who tries much from one place."""
    known = proof.is_known_device(request, email)
    if not known:
        throttle.let_in("login", address_of(request), now=now)
    # Asked in any case: the time it takes tells nothing.
    user = authenticate(request, username=email, password=password)
    try:
        if known:
            throttle.let_in("device", now=now, also={"device": email.lower()})
        else:
            throttle.let_in("account", now=now, also={"account": email.lower()} | _tenant(email))
    except throttle.TooOften:
        services.tried_as(email=email, step="too_often", now=now)
        return None
    if not isinstance(user, User):
        services.tried_as(email=email, step="password", now=now)
        return None
    return user


def _tenant(email: str) -> dict[str, str]:
    """The provider that the address belongs to, if any."""
    code = User.objects.filter(email=email.lower()).values_list("provider__code", flat=True).first()
    return {"tenant": code} if code else {}


def _halfway(request: HttpRequest) -> Halfway | None:
    kept: dict[str, Any] | None = request.session.get(_HALFWAY)
    if not kept or timezone.now() - datetime.fromtimestamp(kept["at"], UTC) > _HALFWAY_LASTS:
        return None
    user = User.objects.present(now=timezone.now()).filter(pk=kept["user"]).first()
    # Another password since, or none: whoever lost every way in must not find the old one half open.
    if user is None or not constant_time_compare(kept.get("password", ""), user.get_session_auth_hash()):
        return None
    return Halfway(user, kept["after"])


def begin_session(request: HttpRequest, user: User, where: str, *, how: str, now: datetime) -> HttpResponse:
    """Begin the session, and lead on."""
    proof.come_in(request, user, proven=how != "password", now=now)
    services.logged_in(user_id=user.pk, how=how, now=now)
    response = HttpResponseRedirect(where)
    proof.remember_device(request, response, user)
    return response


# -- The second step -------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def second(request: HttpRequest) -> HttpResponse:
    """A code of the app or a recovery code; a passkey is shown to `passkey`."""
    halfway = _halfway(request)
    if halfway is None:
        return redirect("login")
    user, now = halfway.user, timezone.now()
    form = CodeForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        try:
            throttle.let_in("code", now=now, also={"account": str(user.pk)})
            how = services.use_code(user_id=user.pk, code=form.cleaned_data["code"], now=now)
        except (throttle.TooOften, factors.NotProven) as refusal:
            services.not_logged_in(user_id=user.pk, step=_STEP[type(refusal)], now=now)
            form.add_error("code", str(refusal))
        else:
            return begin_session(request, user, halfway.after, how=how, now=now)
    kinds = factors.kinds_of(user)
    context = {"form": form, "passkey": factors.PASSKEY in kinds, "app": factors.APP in kinds}
    return render(request, "account/second.html", context)


_STEP: Final = {throttle.TooOften: "too_often", factors.NotProven: "code"}


@require_POST
def passkey_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to show a passkey; the session remembers the challenge."""
    try:
        throttle.let_in("login", address_of(request), now=timezone.now())
    except throttle.TooOften as refusal:
        return too_often(refusal)
    halfway = _halfway(request)
    return JsonResponse(factors.passkey_options(halfway.user if halfway else None))


@require_POST
def passkey(request: HttpRequest) -> HttpResponse:
    """Log in with a passkey alone, or as the second step. No account is counted: nobody guesses one."""
    now, halfway = timezone.now(), _halfway(request)
    try:
        credential = PasskeyForm(request.POST).proof()
        shown = factors.shown_passkey(credential, halfway.user if halfway else None)
    except factors.NotProven:
        if halfway:
            services.not_logged_in(user_id=halfway.user.pk, step="passkey", now=now)
        form = PasswordForm({})
        form.errors.clear()
        form.add_error(None, _("This passkey does not open anything here."))
        return _page(request, form)
    services.note_use(factor_id=shown.pk, now=now)
    where = halfway.after if halfway else after(request)
    return begin_session(request, shown.user, where, how=str(factors.PASSKEY), now=now)


# -- The first time --------------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request: HttpRequest) -> HttpResponse:
    """Set up the first second factor, after a right password; then in, with the recovery codes on the page."""
    halfway = _halfway(request)
    if halfway is None or factors.is_enrolled(halfway.user):
        return redirect("login")
    now = timezone.now()
    enrolment = Enrolment(request, halfway.user)
    enrolment.keep(now=now, begin=lambda: services.check_first_factor(user_id=halfway.user.pk))
    if not enrolment.kept:
        return enrolment.page("account/enrol_first.html")
    way_in = begin_session(request, halfway.user, halfway.after, how=enrolment.kept, now=now)
    response = codes_page(request, enrolment.codes, after=halfway.after)
    response.cookies = way_in.cookies
    return response


@require_POST
def enrol_options(request: HttpRequest) -> HttpResponse:
    """What the browser needs to make the first passkey of who gave a right password."""
    halfway = _halfway(request)
    if halfway is None or factors.is_enrolled(halfway.user):
        return JsonResponse({"detail": _("Log in again.")}, status=HTTPStatus.FORBIDDEN)
    return JsonResponse(factors.new_passkey_options(halfway.user))
