"""The fields that are drawn without a template look as Django's own templates draw them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from takedown.widgets import DRAWN, QuickRenderer

CHOICES = [
    ("", gettext_lazy("unknown")),
    ("a&b", 'An "A" <b>'),
    (1234, 1234),
    ("safe", mark_safe("<em>safe</em>")),
    ("Group <1>", [("x", "X"), ("y", "Y")]),
]
TICKS: dict[str, Any] = {"required": True, "disabled": False, "data-x": 'a"b', "rows": 1234, "class": "wide"}
FIELDS: dict[str, tuple[forms.Widget, Any]] = {
    "text": (forms.TextInput(TICKS), 'x"<&'),
    "number": (forms.NumberInput(), 1234567),
    "email": (forms.EmailInput(), None),
    "url": (forms.URLInput(), ""),
    "password": (forms.PasswordInput(render_value=True), "p"),
    "hidden": (forms.HiddenInput(), 5),
    "date": (forms.DateInput(), datetime(2026, 11, 1, tzinfo=UTC).date()),
    "datetime": (forms.DateTimeInput(), datetime(2026, 11, 1, 12, tzinfo=UTC)),
    "time": (forms.TimeInput(), None),
    "search": (forms.SearchInput(), "z"),
    "tel": (forms.TelInput(), "z"),
    "color": (forms.ColorInput(), "#ffffff"),
    "checkbox": (forms.CheckboxInput(), True),
    "textarea": (forms.Textarea(TICKS), "  \n<x>\n "),
    "empty textarea": (forms.Textarea(), None),
    "select": (forms.Select(TICKS, choices=CHOICES), "a&b"),
    "select of a number": (forms.Select(choices=CHOICES), 1234),
    "select multiple": (forms.SelectMultiple(choices=CHOICES), ["", "x"]),
    "empty select": (forms.Select(), None),
    "unknown": (forms.NullBooleanSelect(), None),
    "radio": (forms.RadioSelect(TICKS, choices=CHOICES), "y"),
    "checkboxes": (forms.CheckboxSelectMultiple(choices=CHOICES), ["x", "a&b"]),
    "file": (forms.FileInput(), None),
    "clearable file": (forms.ClearableFileInput(), None),
    "split": (forms.SplitDateTimeWidget(), datetime(2026, 11, 1, 12, tzinfo=UTC)),
}


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("name", FIELDS)
def test_a_field_is_the_same_to_the_byte(name: str, language: str) -> None:
    widget, value = FIELDS[name]

    with translation.override(language):
        for attributes in ({"id": "id_field"}, {}):
            drawn, expected = (
                widget.render("field", value, attributes, renderer)
                for renderer in (QuickRenderer(), TemplatesSetting())
            )
            assert drawn == expected


def test_a_choice_alone_is_the_same_to_the_byte() -> None:
    class Form(forms.Form):
        choice = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect)

    quick, slow = (
        Form({"choice": "x"}, renderer=renderer) for renderer in (QuickRenderer(), TemplatesSetting())
    )

    assert [each.tag() for each in quick["choice"].subwidgets] == [
        each.tag() for each in slow["choice"].subwidgets
    ]


def test_each_template_that_is_left_out_is_one_that_django_has() -> None:
    for name in DRAWN:
        TemplatesSetting().get_template(name)
