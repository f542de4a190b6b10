"""The words of judgements: what is in force, and the draft of the next version with its preview."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.desk import POST, Desk, page
from audit.record import Actor
from cases.admin.forms import AssessForm
from cases.admin.pressing import press
from cases.models import Question, Term, Vocabulary
from cases.services import vocabulary as words


class TermForm(forms.Form):
    """The words of an answer, and whether it is still offered."""

    label_nl = forms.CharField(label=gettext_lazy("in Dutch"), max_length=60)
    label_en = forms.CharField(label=gettext_lazy("in English"), max_length=60)
    retired = forms.BooleanField(label=gettext_lazy("no longer offered"), required=False)
    police_first = forms.BooleanField(label=gettext_lazy("suggests police first"), required=False)


class NewTermForm(forms.Form):
    """A new answer. Its code stays for ever, for the figures."""

    question = forms.ChoiceField(label=gettext_lazy("Question"), choices=Question.choices)
    code = forms.CharField(
        label=gettext_lazy("Code"),
        help_text=gettext_lazy("Small letters, digits, underscores; it can never be changed."),
        max_length=24,
    )
    label_nl = forms.CharField(label=gettext_lazy("in Dutch"), max_length=60)
    label_en = forms.CharField(label=gettext_lazy("in English"), max_length=60)
    police_first = forms.BooleanField(label=gettext_lazy("suggests police first"), required=False)


@admin.register(Vocabulary)
class VocabularyDesk(Desk):
    """The version in force, the draft of the next, and the form as it would be."""

    cell = "words.view"

    def own_urls(self) -> list[URLPattern]:
        """What can be done with a draft."""
        change = "words.change"
        return [
            self.at("draft/", self.begin, name="words_draft", cell=change, methods=POST),
            self.at("discard/", self.discard, name="words_discard", cell=change, methods=POST),
            self.at("add/term/", self.add, name="words_term_new", cell=change, methods=POST),
            self.at("term/<int:pk>/", self.change, name="words_term", cell=change, methods=POST),
            self.at("term/<int:pk>/move/", self.move, name="words_move", cell=change, methods=POST),
            self.at(
                "<int:pk>/in-force/", self.put_in_force, name="words_in_force", cell=change, methods=POST
            ),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """All of it on one page."""
        self.check_view(request)
        return self._show(request)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version has no page of its own."""
        self.check_view(request)
        return redirect("admin:cases_vocabulary_changelist")

    def begin(self, request: HttpRequest) -> HttpResponse:
        """A draft with all that is in force."""
        return self._do(
            request, words.begin_draft, _("The draft is there: nothing changes until you put it in force.")
        )

    def discard(self, request: HttpRequest) -> HttpResponse:
        """Throw the draft away."""
        return self._do(request, words.discard_draft, _("The draft is thrown away."))

    def add(self, request: HttpRequest) -> HttpResponse:
        """A new answer in the draft."""
        form = NewTermForm(request.POST)
        if not form.is_valid():
            return self._show(request, new=form, status=422)
        return self._do(request, words.add_term, _("Added to the draft."), **form.cleaned_data)

    def change(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Other words for an answer of the draft, or no longer offer it."""
        form = TermForm(request.POST, prefix=str(pk))
        if not form.is_valid():
            return self._show(request, tried=(pk, form), status=422)
        return self._do(request, words.change_term, _("Saved in the draft."), term_id=pk, **form.cleaned_data)

    def move(self, request: HttpRequest, pk: int) -> HttpResponse:
        """An answer changes places with its neighbour."""
        up = request.POST.get("way") == "up"
        return self._do(request, words.move_term, _("Moved."), term_id=pk, up=up)

    def put_in_force(self, request: HttpRequest, pk: int) -> HttpResponse:
        """From now on judgements are made in these words."""
        return self._do(request, words.put_in_force, _("In force from now on."), version=pk)

    def _do(self, request: HttpRequest, act: Callable[..., Any], done: str, **said: Any) -> HttpResponse:
        press(request, lambda: act(by=Actor.of(request.user), now=timezone.now(), **said), done)
        return redirect("admin:cases_vocabulary_changelist")

    def _show(
        self,
        request: HttpRequest,
        *,
        new: NewTermForm | None = None,
        tried: tuple[int, TermForm] | None = None,
        status: int = 200,
    ) -> HttpResponse:
        versions = list(Vocabulary.objects.order_by("-version")[:50])
        current = next(each for each in versions if each.in_force_at is not None)
        draft = versions[0] if versions[0].in_force_at is None else None
        shown = list(Term.objects.filter(vocabulary=draft or current).order_by("question", "position", "pk"))
        before = {(term.question, term.code): term for term in Term.objects.filter(vocabulary=current)}
        may_change = request.user.has_perm("words.change")
        context = {
            "title": _("Words of a judgement"),
            "versions": [each for each in versions if each.in_force_at],
            "current": current,
            "draft": draft,
            "may_change": may_change,
            "questions": [
                {
                    "name": question.label,
                    "rows": [
                        {
                            "term": term,
                            "changed": draft and _differs(term, before.get((term.question, term.code))),
                            "form": _form(term, tried) if draft and may_change else None,
                        }
                        for term in shown
                        if term.question == question
                    ],
                }
                for question in Question
            ],
            "new": (new or NewTermForm()) if draft and may_change else None,
            "new_is_open": new is not None,
            "preview": AssessForm(
                terms=[term for term in shown if not term.retired],
                auto_id="preview_%s",
                initial={"version": 0},
            ),
        }
        return page(request, "staff/vocabulary.html", context, status=status)


def _form(term: Term, tried: tuple[int, TermForm] | None) -> TermForm:
    if tried and tried[0] == term.pk:
        return tried[1]
    names = ("label_nl", "label_en", "retired", "police_first")
    return TermForm(initial={name: getattr(term, name) for name in names}, prefix=str(term.pk))


def _differs(term: Term, before: Term | None) -> bool:
    names = ("label_nl", "label_en", "retired", "police_first", "position")
    return before is None or any(getattr(term, name) != getattr(before, name) for name in names)
