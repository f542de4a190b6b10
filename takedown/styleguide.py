"""Every component on one page, for those who build pages. Only where DEBUG or DEMO is on."""

from datetime import timedelta
from types import SimpleNamespace

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from takedown.look import BADGES, ICONS


class Sample(forms.Form):
    """One field of each sort."""

    reference = forms.CharField(
        label="Your reference", required=False, help_text="It comes back in every answer."
    )
    answer = forms.ChoiceField(
        label="Answer",
        choices=[("removed", "Removed"), ("not_ours", "Not ours"), ("dispute", "We dispute this")],
        widget=forms.RadioSelect,
        initial="removed",
    )
    provider = forms.ChoiceField(
        label="Provider", choices=[("a", "Example Hosting"), ("b", "Voorbeeld Hosting")]
    )
    email = forms.EmailField(label="E-mail address", help_text="We only use it to answer you.")
    note = forms.CharField(label="Note", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    sure = forms.BooleanField(label="I have checked this myself")


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The style guide; `?room=staff` shows it as dense as staff sees it."""
    now = timezone.now()
    start = now - timedelta(hours=20, minutes=48)
    rows = [
        SimpleNamespace(
            reference=f"N-{code}",
            masked=masked,
            state=state,
            start=start,
            due=now + left,
            row=row,
        )
        for code, masked, state, left, row in (
            ("7QK3M0V9TD", "img.example.net/…4f.jpg", "escalated", timedelta(hours=-2, minutes=-5), "over"),
            ("01XZB8H2WC", "files.example.org/…b7c1d2", "notified", timedelta(hours=3, minutes=12), "soon"),
            ("R5N4PYE6JA", "cdn.example.com/…ead/9", "notified", timedelta(hours=17, minutes=40), ""),
            ("3G9TSF1K8M", "host.example/…/a1b2", "received", timedelta(hours=23, minutes=59), ""),
        )
    ]
    if not messages.get_messages(request):
        messages.success(request, "Three notices are acknowledged. Your clock keeps running.")
        messages.error(request, "This notice was decided by somebody else while you looked at it.")
    context = {
        "rows": rows,
        "badges": list(BADGES),
        "icons": sorted(ICONS),
        "form": Sample({"email": "nobody", "answer": "removed", "provider": "a"}),
        "now": now,
        "start": start,
        "due_calm": now + timedelta(hours=17, minutes=40),
        "due_soon": now + timedelta(hours=3, minutes=12),
        "due_over": now - timedelta(hours=2, minutes=5),
        "removed": now - timedelta(hours=1),
        "page": Paginator(range(500), 25).page(7),
        "definitions": [
            ("Provider", "Example Hosting B.V."),
            ("Network", "AS64496, 192.0.2.0/24"),
            ("Note", None),
        ],
        "events": [
            {
                "at": start,
                "text": "Accepted by mx.example.net",
                "tone": "good",
                "icon": "check",
                "by": "system",
            },
            {
                "at": now - timedelta(hours=6),
                "text": "Says it is removed",
                "detail": "“Account closed, files wiped.”",
                "tone": "info",
                "icon": "person",
                "by": "Example Hosting",
            },
            {"at": now, "text": "Our check still sees it", "tone": "bad", "icon": "eye", "by": "checker, NL"},
        ],
        "steps": [
            {"name": "Hint", "state": "done", "at": start + timedelta(hours=20)},
            {"name": "Escalated, reminder", "state": "late", "at": now - timedelta(hours=2)},
            {"name": "Second reminder", "state": "now", "at": now + timedelta(hours=1)},
            {"name": "Call", "state": "next", "at": now + timedelta(hours=22)},
            {"name": "Dossier", "state": "next", "at": None},
        ],
        "figures": [
            {"value": 12, "name": "overdue", "note": "oldest 2 d 4 h", "href": "#figures", "tone": "bad"},
            {"value": 3, "name": "disputes", "note": "oldest 5 h", "href": "#figures", "tone": "warn"},
            {"value": 0, "name": "failed sends", "note": "none waiting"},
        ],
        "tabs": [
            {"name": "Open", "href": "#tabs", "current": True, "count": 128},
            {"name": "Overdue", "href": "#tabs", "count": 12},
            {"name": "Closed", "href": "#tabs"},
        ],
        "staff": request.GET.get("room") == "staff",
    }
    return render(request, "styleguide.html", context)
