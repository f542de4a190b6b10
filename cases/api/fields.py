"""The shape of what machines send: exactly the named fields, each of exactly its kind."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from cases.intake.instants import instant


class Shape(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know: a misspelt one would be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError that names every unknown and every wrong field."""
        unknown = sorted(set(data) - set(self.fields), key=str) if isinstance(data, Mapping) else []
        errors: dict[str, Any] = {str(name): [_("There is no such field.")] for name in unknown}
        try:
            value = super().to_internal_value(data)
        except ValidationError as error:
            if not isinstance(error.detail, dict):
                raise
            errors = {**error.detail, **errors}
        if errors:
            raise ValidationError(errors)
        return value


class Text(serializers.CharField):
    """A JSON string; numbers are not taken for text."""

    def to_internal_value(self, data: Any) -> str:
        """The text without white space around it."""
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Whole(serializers.IntegerField):
    """A JSON integer: no text, no 3.0, no true."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if type(data) is not int:
            self.fail("invalid")
        return data


class Instant(serializers.DateTimeField):
    """ISO 8601 with a zone, in our time (1990 to 2099), as UTC."""

    default_error_messages = {
        "instant": _("Write it as ISO 8601 with its zone, such as 2026-11-24T10:00:00Z."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        """The instant."""
        if not isinstance(value, str):
            self.fail("instant")
        try:
            return instant(value)
        except ValueError:
            self.fail("instant")


class Digits(serializers.RegexField):
    """A whole number in a query string: ASCII digits, from 1 to `most`."""

    default_error_messages = {"range": _("It must be a number of 1 to {most}.")}

    def __init__(self, *, most: int, **options: Any) -> None:
        self.most = most
        super().__init__(regex=r"^[0-9]{1,9}\Z", **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """The number. Raises ValidationError."""
        try:
            number = int(super().run_validation(data))
        except ValidationError:
            self.fail("range", most=self.most)
        if not 1 <= number <= self.most:
            self.fail("range", most=self.most)
        return number


def query(shape: type[Shape], request: Request, *, besides: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The request's query string by `shape`, without the parameters in `besides`, which others read.

    Raises ValidationError for unknown parameters, wrong values and a parameter that is given twice.
    """
    asked = request.query_params
    twice = {name: [_("It is given more than once.")] for name in asked if len(asked.getlist(name)) > 1}
    if twice:
        raise ValidationError(twice)
    reader = shape(data={name: asked[name] for name in asked if name not in besides})
    reader.is_valid(raise_exception=True)
    return dict(reader.validated_data)
