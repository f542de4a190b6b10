"""What setting up and showing a second factor is, on every page that asks for it."""

import re
from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import qrcode
from django import forms
from django.db import transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from qrcode.image.svg import SvgPathImage

from accounts import factors, proof, services, throttle
from accounts.models import User
from audit.record import Actor
from audit.refused import Refused

#: In the session, while an app is being set up.
_NEW_APP: Final = "new_app"


class CodeForm(forms.Form):
    """A code of the app, or a recovery code."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )

    def clean_code(self) -> str:
        """Without the spaces that apps show."""
        return "".join(str(self.cleaned_data["code"]).split())


class PasskeyForm(forms.Form):
    """What the browser answers in a ceremony (static/takedown/js/passkey.js)."""

    credential = forms.JSONField(widget=forms.HiddenInput)
    name = forms.CharField(max_length=60, required=False)

    def proof(self) -> dict[str, Any]:
        """The credential. Raises NotProven when none was posted."""
        credential = self.cleaned_data.get("credential") if self.is_valid() else None
        if not isinstance(credential, dict):
            raise factors.NotProven
        return credential


class Enrolment:
    """The page that sets up a passkey or an app for `user`: what was posted to it, and what it shows.

    After `keep` either `kept` is the kind that was set up, and `codes` the recovery codes if these are the first;
    or `fault` or the form says why nothing was.
    """

    def __init__(self, request: HttpRequest, user: User) -> None:
        self.request, self.user = request, user
        self.secret: str = request.session.setdefault(_NEW_APP, factors.new_secret())
        self.form = CodeForm(request.POST if "code" in request.POST else None)
        self.kept, self.fault = "", ""
        self.codes: list[str] = []

    def keep(self, *, now: datetime, begin: Callable[[], None] = lambda: None) -> None:
        """Keep what was posted. `begin`: what becomes true together with it, or not at all."""
        try:
            if "credential" in self.request.POST:
                self._keep_passkey(begin, now=now)
            elif self.form.is_valid():
                self._keep_app(begin, now=now)
        except Refused as refusal:
            self.fault = str(refusal)

    def _keep_passkey(self, begin: Callable[[], None], *, now: datetime) -> None:
        posted = PasskeyForm(self.request.POST)
        credential = posted.proof()
        factors.check_new_passkey(credential)
        name = posted.cleaned_data["name"] or proof.device_name(self.request)
        with transaction.atomic():
            begin()
            self.codes = services.enrol_passkey(
                user_id=self.user.pk, name=name, credential=credential, by=Actor.of(self.user), now=now
            )
        self.kept = str(factors.PASSKEY)

    def _keep_app(self, begin: Callable[[], None], *, now: datetime) -> None:
        throttle.let_in("code", now=now, also={"account": str(self.user.pk)})
        code = self.form.cleaned_data["code"]
        with transaction.atomic():
            begin()
            self.codes = services.enrol_app(
                user_id=self.user.pk, secret=self.secret, code=code, by=Actor.of(self.user), now=now
            )
        self.kept = str(factors.APP)
        self.request.session.pop(_NEW_APP, None)

    def page(self, template: str, **context: Any) -> HttpResponse:
        """The page, with what went wrong."""
        wrong = bool(self.fault or self.request.method == "POST")
        shown = {
            "form": self.form,
            "fault": self.fault,
            "secret": " ".join(re.findall("....", self.secret)),
            "qr": _qr(factors.app_uri(self.secret, self.user)),
        }
        status = HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK
        return render(self.request, template, shown | context, status=status)


def codes_page(request: HttpRequest, codes: list[str], *, after: str) -> HttpResponse:
    """The recovery codes, in the answer to this very request and never again."""
    spaced = [f"{code[:4]} {code[4:]}" for code in codes]
    return render(request, "account/codes.html", {"codes": spaced, "after": after})


def too_often(refusal: throttle.TooOften) -> HttpResponse:
    """429 to a script."""
    headers = {"Retry-After": str(refusal.retry_after_s)}
    return JsonResponse({"detail": str(refusal)}, status=HTTPStatus.TOO_MANY_REQUESTS, headers=headers)


def after(request: HttpRequest, wanted: str | None = None) -> str:
    """Where the reader was headed: an address of ours, or their first page."""
    wanted = wanted or request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if ours else resolve_url("home")


def _qr(text: str) -> SafeString:
    """A QR code as SVG for a page; `text` does not stand in it as text."""
    drawn = qrcode.make(text, image_factory=SvgPathImage, box_size=10, border=2).to_string(encoding="unicode")
    label = _("QR code for your app")
    return SafeString(drawn.replace("<svg ", f'<svg role="img" aria-label="{label}" class="qr" ', 1))
