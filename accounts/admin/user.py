"""People: who may log in, and as what. Through services, so that each change leaves its line in the audit."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import services
from accounts.forms import PasswordForm
from accounts.models import ROLE_CHOICES, User
from audit.desk import BOTH, POST, Display, page, press
from audit.record import Actor


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # it is no generic when it runs
    """A person without a password."""

    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles"), choices=ROLE_CHOICES, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = User
        fields = ["email", "name", "roles", "provider", "language", "is_active"]


@admin.register(User)
class UserDesk(Display):
    """A person is never deleted: their name stands in the audit. Who leaves is made inactive."""

    cell = "user.view"
    change_list_template = "staff/users.html"
    list_display = ["email"]
    list_filter = ["is_active", ("provider", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["provider"]
    search_fields = ["email", "name"]
    search_help_text = gettext_lazy("Name or e-mail address")
    sortable_by = ()

    def own_urls(self) -> list[URLPattern]:
        """A new person, changes, and a new password."""
        cell = "user.change"
        return [
            self.at("new/", self.new, name="user_new", cell=cell, methods=BOTH),
            self.at("<int:pk>/save/", self.save, name="user_save", cell=cell, methods=POST),
            self.at("<int:pk>/password/", self.password, name="user_password", cell=cell, methods=POST),
        ]

    def show(
        self,
        request: HttpRequest,
        pk: int,
        form: forms.BaseForm | None = None,
        password: forms.BaseForm | None = None,
    ) -> HttpResponse:
        """The page of a person; the forms only for who may change people."""
        person = get_object_or_404(User.objects.select_related("provider"), pk=pk)
        may = request.user.has_perm("user.change")
        context = {
            "title": str(person),
            "person": person,
            "form": (form or UserForm(instance=person)) if may else None,
            "password": (password or PasswordForm(auto_id="password_%s")) if may else None,
        }
        return page(request, "staff/user.html", context, status=422 if form or password else 200)

    def new(self, request: HttpRequest) -> HttpResponse:
        """A new person with a password."""
        data = request.POST if request.method == "POST" else None
        form, password = UserForm(data), PasswordForm(data, auto_id="password_%s")
        if form.is_valid() and password.is_valid():
            person = press(
                request,
                lambda: services.add_user(
                    password=password.cleaned_data["password"], **form.cleaned_data, **_who_and_when(request)
                ),
                _("Added. Tell them the password in person."),
            )
            if person is not None:
                return redirect("admin:accounts_user_change", person.pk)
        context = {"title": _("New person"), "form": form, "password": password}
        return page(request, "staff/user_new.html", context, status=422 if data else 200)

    def save(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what a person may do; it counts from their next request on."""
        form = UserForm(request.POST, instance=get_object_or_404(User, pk=pk))
        if not form.is_valid():
            return self.show(request, pk, form=form)
        press(
            request,
            lambda: services.change_user(user_id=pk, **form.cleaned_data, **_who_and_when(request)),
            _("Saved. It counts from their next request on."),
        )
        return redirect("admin:accounts_user_change", pk)

    def password(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Give a person a new password; their sessions end."""
        get_object_or_404(User, pk=pk)
        form = PasswordForm(request.POST, auto_id="password_%s")
        if not form.is_valid():
            return self.show(request, pk, password=form)
        press(
            request,
            lambda: services.set_password(
                user_id=pk, password=form.cleaned_data["password"], **_who_and_when(request)
            ),
            _("The password is set, and they are logged out everywhere."),
        )
        return redirect("admin:accounts_user_change", pk)


def _who_and_when(request: HttpRequest) -> dict[str, Any]:
    return {"by": Actor.of(request.user), "now": timezone.now()}
