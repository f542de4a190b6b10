"""How form fields are drawn: Django's own templates of the common widgets, written out in Python.

A choice alone takes three templates; a desk has a hundred choices, and they were a quarter of its time.
What comes out is the same to the byte (tests/takedown/test_widgets.py); any other widget is drawn by its template.
"""

from collections.abc import Callable
from html import escape
from typing import Any, Final

from django.forms.renderers import TemplatesSetting
from django.http import HttpRequest
from django.utils.formats import localize
from django.utils.safestring import SafeData

Widget = dict[str, Any]


class QuickRenderer(TemplatesSetting):
    """Draws what is in `DRAWN` without a template."""

    def render(self, template_name: str, context: dict[str, Any], request: HttpRequest | None = None) -> str:
        """The markup of a widget, a list of errors or a form."""
        draw = DRAWN.get(template_name)
        if draw is None:
            return str(super().render(template_name, context, request))
        return draw(context["widget"]).strip()


def _text(value: object) -> str:
    """As a template shows a value."""
    shown = localize(value)
    return str(shown) if isinstance(shown, SafeData) else escape(str(shown))


def _plain(value: object) -> str:
    """As a template shows `value|stringformat:"s"`: a number keeps its digits."""
    return str(value) if isinstance(value, SafeData) else escape(str(value))


def _attributes(widget: Widget) -> str:
    return "".join(
        f" {_text(name)}" if value is True else f' {_text(name)}="{_plain(value)}"'
        for name, value in widget["attrs"].items()
        if value is not False
    )


def _input(widget: Widget) -> str:
    value = widget["value"]
    said = "" if value is None else f' value="{_plain(value)}"'
    return (
        f'<input type="{_text(widget["type"])}" name="{_text(widget["name"])}"{said}{_attributes(widget)}>\n'
    )


def _textarea(widget: Widget) -> str:
    text = _text(widget["value"]) if widget["value"] else ""
    return f'<textarea name="{_text(widget["name"])}"{_attributes(widget)}>\n{text}</textarea>\n'


def _select(widget: Widget) -> str:
    parts = [f'<select name="{_text(widget["name"])}"{_attributes(widget)}>']
    for group, options, _index in widget["optgroups"]:
        if group:
            parts.append(f'\n  <optgroup label="{_text(group)}">')
        parts += [f"\n  {DRAWN[option['template_name']](option)}" for option in options]
        if group:
            parts.append("\n  </optgroup>")
    parts.append("\n</select>\n")
    return "".join(parts)


def _select_option(option: Widget) -> str:
    return (
        f'<option value="{_plain(option["value"])}"{_attributes(option)}>{_text(option["label"])}</option>\n'
    )


def _choices(widget: Widget) -> str:
    attributes = widget["attrs"]
    parts = ["<div"]
    parts += [f' {name}="{_text(attributes[name])}"' for name in ("id", "class") if attributes.get(name)]
    parts.append(">")
    for group, options, _index in widget["optgroups"]:
        if group:
            parts.append(f"\n  <div><label>{_text(group)}</label>")
        parts += [f"<div>\n    {DRAWN[option['template_name']](option)}</div>" for option in options]
        if group:
            parts.append("\n  </div>")
    parts.append("\n</div>\n")
    return "".join(parts)


def _choice(option: Widget) -> str:
    if not option.get("wrap_label"):
        return _input(option)
    of = f' for="{_text(option["attrs"]["id"])}"' if option["attrs"].get("id") else ""
    return f"<label{of}>{_input(option)} {_text(option['label'])}</label>\n\n"


_INPUTS: Final = (
    *("text", "search", "number", "email", "url", "tel", "color", "password", "hidden"),
    *("date", "datetime", "time", "checkbox"),
)
#: Template of a widget -> what draws the same.
DRAWN: Final[dict[str, Callable[[Widget], str]]] = {
    f"django/forms/widgets/{name}.html": draw
    for name, draw in {
        **dict.fromkeys(_INPUTS, _input),
        "textarea": _textarea,
        "select": _select,
        "select_option": _select_option,
        "radio": _choices,
        "checkbox_select": _choices,
        "radio_option": _choice,
        "checkbox_option": _choice,
    }.items()
}
