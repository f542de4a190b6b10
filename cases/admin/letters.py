"""The words of messages: what is in force per kind and language, drafts, differences, and a real notice to read them on."""

from collections.abc import Callable
from difflib import ndiff
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import POST, Display, page
from audit.record import Actor
from cases.admin.pressing import press
from cases.formats import wording
from cases.models import Dispatch, MessageTemplate
from cases.models.template import PARTS
from cases.services import message_templates as templates

#: Versions of one kind and language that a page lists.
MOST = 50


class WordsForm(forms.Form):
    """The prose of a message, part by part. What may stand in it is for the service to say."""

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for part in PARTS:
            names = ", ".join(f"{{{name}}}" for name in wording.required(kind, part))
            self.fields[part] = forms.CharField(
                label=part_name(part),
                required=(kind, part) not in wording.OPTIONAL,
                # Of the service's own making, so that a page without scripts says the same.
                help_text=_("It must name %(names)s.") % {"names": names} if names else "",
                widget=forms.Textarea(attrs={"rows": 9 if part == "answer" else 5, "class": "letter-words"}),
                strip=False,
            )


class PreviewForm(forms.Form):
    """On which notice."""

    reference = forms.CharField(
        label=gettext_lazy("Reference of a notice"),
        help_text=gettext_lazy("Empty: the newest that fits."),
        required=False,
        max_length=20,
    )


class Changed(NamedTuple):
    """A line of a difference: `mark` is "+", "-" or "" for what both have."""

    mark: str
    text: str


def part_name(part: str) -> str:
    """A part of the prose in words, with a capital."""
    name = str(MessageTemplate._meta.get_field(part).verbose_name)  # type: ignore[union-attr]
    return name[:1].upper() + name[1:]


def differences(before: MessageTemplate | None, after: MessageTemplate) -> list[tuple[str, list[Changed]]]:
    """(part, lines) of each part in which two versions differ."""
    found = []
    for part, said in after.words.items():
        was = before.words[part] if before else ""
        if was != said:
            lines = ndiff(was.split("\n"), said.split("\n"))
            found.append(
                (
                    part_name(part),
                    [Changed(line[0].strip(), line[2:]) for line in lines if not line.startswith("?")],
                )
            )
    return found


@admin.register(MessageTemplate)
class LetterDesk(Display):
    """Nobody edits here what a message must say: only its prose is words."""

    cell = "letter.view"

    def own_urls(self) -> list[URLPattern]:
        """What can be done with a version."""
        change, approve, at = "letter.change", "letter.approve", self.at
        return [
            at(
                "draft/<str:kind>/<str:language>/", self.begin, name="letter_draft", cell=change, methods=POST
            ),
            at("<int:pk>/save/", self.save, name="letter_save", cell=change, methods=POST),
            at("<int:pk>/discard/", self.discard, name="letter_discard", cell=change, methods=POST),
            at("<int:pk>/preview/", self.preview, name="letter_preview", cell=self.cell, methods=POST),
            at("<int:pk>/in-force/", self.put_in_force, name="letter_in_force", cell=approve, methods=POST),
            at("<int:pk>/go-back/", self.go_back, name="letter_go_back", cell=approve, methods=POST),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What is in force of each kind and language, and what is drafted."""
        self.check_view(request)
        # Few rows: a version is made by hand. The words themselves are not read.
        versions = list(MessageTemplate.objects.defer(*PARTS).order_by("-version", "pk"))
        rows = [
            {
                "kind": kind,
                "language": language,
                "current": next(each for each in of if not each.is_draft),
                "draft": next((each for each in of if each.is_draft), None),
            }
            for kind in Dispatch.Kind
            for language in MessageTemplate.Language
            if (of := [each for each in versions if (each.kind, each.language) == (kind, language)])
        ]
        context = {
            "title": _("Letters"),
            "rows": rows,
            "may_change": request.user.has_perm("letter.change"),
        }
        return page(request, "staff/letters.html", context)

    def show(
        self,
        request: HttpRequest,
        pk: int,
        *,
        form: WordsForm | None = None,
        faults: list[wording.Fault] | None = None,
        looking: PreviewForm | None = None,
        read: templates.Preview | None = None,
        status: int = 200,
    ) -> HttpResponse:
        """A version: its words or their form, what differs, how it reads, and the versions beside it."""
        template = get_object_or_404(MessageTemplate, pk=pk)
        versions = list(MessageTemplate.objects.of(template.kind, template.language)[:MOST])
        current = next(each for each in versions if not each.is_draft)
        before = current if template.is_draft else _before(template, versions)
        editable = template.is_draft and request.user.has_perm("letter.change")
        may_approve, me = request.user.has_perm("letter.approve"), str(Actor.of(request.user))
        context = {
            "title": _("%(kind)s, %(language)s: version %(version)d")
            % {
                "kind": template.get_kind_display().capitalize(),
                "language": template.get_language_display(),
                "version": template.version,
            },
            "template": template,
            "is_current": template.pk == current.pk,
            "current": current,
            "parts": [(part_name(part), text) for part, text in template.words.items()],
            "form": (form or WordsForm(initial=template.words, kind=template.kind)) if editable else None,
            "faults": [(part_name(fault.part), fault.line, fault.text) for fault in faults or ()],
            "names": wording.placeholders(template.kind).items(),
            "before": before,
            "differences": differences(before, template) if before else [],
            "looking": looking or PreviewForm(initial={"reference": template.previewed_on}),
            "read": read,
            "versions": versions,
            "may_change": request.user.has_perm("letter.change"),
            "may_approve": may_approve,
            "may_go_back": may_approve and not template.is_draft and template.pk != current.pk,
            "wrote_it": template.drafted_by == me,
            "read_it": template.previewed_by == me,
        }
        return page(request, "staff/letter.html", context, status=status)

    def begin(self, request: HttpRequest, kind: str, language: str) -> HttpResponse:
        """A draft with the words in force."""
        draft = press(
            request,
            lambda: templates.begin_draft(kind=kind, language=language, by=_me(request), now=timezone.now()),
            _("The draft is there: nothing changes until somebody else puts it in force."),
        )
        return redirect("admin:cases_messagetemplate_change", draft.pk) if draft else self._to_all()

    def save(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Other words for a draft; what is wrong with them is said by part and line."""
        template = get_object_or_404(MessageTemplate, pk=pk)
        form, faults = WordsForm(request.POST, kind=template.kind), []

        def act() -> MessageTemplate:
            words = {part: request.POST.get(part, "") for part in PARTS}
            try:
                return templates.save_draft(template_id=pk, words=words, by=_me(request), now=timezone.now())
            except templates.Faulty as faulty:
                faults.extend(faulty.faults)
                raise

        saved = press(request, act, _("Saved in the draft."))
        if saved is None and faults:
            return self.show(request, pk, form=form, faults=faults, status=422)
        return self._to(pk)

    def discard(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Throw a draft away."""
        press(
            request,
            lambda: templates.discard_draft(template_id=pk, by=_me(request), now=timezone.now()),
            _("The draft is thrown away."),
        )
        return self._to_all()

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read a version on a real notice. Of a draft it is written down who did."""
        looking = PreviewForm(request.POST)
        if not looking.is_valid():
            return self.show(request, pk, looking=looking, status=422)
        read = press(
            request,
            lambda: templates.preview(
                template_id=pk,
                reference=looking.cleaned_data["reference"],
                by=_me(request),
                now=timezone.now(),
            ),
            "",
        )
        return self.show(request, pk, looking=looking, read=read, status=200 if read else 422)

    def put_in_force(self, request: HttpRequest, pk: int) -> HttpResponse:
        """From now on messages are written in these words."""
        seal = request.POST.get("seal", "")
        return self._do(
            request, pk, templates.put_in_force, _("In force from now on."), template_id=pk, seal=seal
        )

    def go_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The words of an earlier version again."""
        return self._do(
            request,
            pk,
            templates.go_back,
            _("These words are in force again, as a new version."),
            template_id=pk,
        )

    def _do(
        self, request: HttpRequest, pk: int, act: Callable[..., MessageTemplate], done: str, **said: Any
    ) -> HttpResponse:
        made = press(request, lambda: act(by=_me(request), now=timezone.now(), **said), done)
        return self._to(made.pk if made else pk)

    def _to(self, pk: int) -> HttpResponse:
        return redirect("admin:cases_messagetemplate_change", pk)

    def _to_all(self) -> HttpResponse:
        return redirect("admin:cases_messagetemplate_changelist")


def _me(request: HttpRequest) -> Actor:
    return Actor.of(request.user)


def _before(template: MessageTemplate, versions: list[MessageTemplate]) -> MessageTemplate | None:
    """The version that this one took the place of."""
    return next((each for each in versions if not each.is_draft and each.version < template.version), None)
