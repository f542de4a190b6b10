"""What became of a report, for who holds its number and its code. Both are only ever POSTed."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.client import address_of
from accounts.throttle import TooOften, let_in
from audit.refused import Refused
from cases.services.follow import follow as told_of
from cases.views.forms import FollowForm
from cases.views.report import too_often


@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def follow(request: HttpRequest) -> HttpResponse:
    """Ask for number and code, or tell the outcome of each line."""
    if request.method != "POST":
        return render(request, "public/follow.html", {"form": FollowForm()})
    form = FollowForm(request.POST)
    now = timezone.now()
    context: dict[str, Any] = {"form": form}
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    if form.is_valid():
        data = form.cleaned_data
        try:
            let_in("follow", address_of(request), now=now)
            context |= {
                "reference": data["number"],
                "lines": told_of(reference=data["number"], code=data["code"], now=now),
            }
            status = HTTPStatus.OK
        except TooOften as refusal:
            return too_often(request, "public/follow.html", form, refusal)
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(request, "public/follow.html", context, status=status)
