"""The shape of what machines send: exactly the named fields, each of exactly its kind."""

import heapq
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, Final, cast

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from cases.intake.instants import instant

#: So many wrong places are told of one request. Looking for more would only cost time.
MOST_ERRORS: Final = 100
#: RFC 3339, and seconds may be left out. Python's own reader takes much more, such as weeks.
_RFC_3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")


class NotPlain(Exception):
    """Not plainly right: the serializer must look, and say what is wrong."""


class Shape(serializers.Serializer[Any]):
    """A serializer that refuses fields it does not know: a misspelt one would be lost in silence."""

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError that names every unknown and every wrong field."""
        named = set(data) - set(self.fields) if isinstance(data, Mapping) else set()
        unknown = heapq.nsmallest(MOST_ERRORS, named, key=str)
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

    def plain(self, value: Any) -> str:
        """The text. Raises NotPlain."""
        if type(value) is not str:
            raise NotPlain
        text = value.strip() if self.trim_whitespace else value
        too_long = self.max_length is not None and len(text) > self.max_length
        if too_long or not (text or self.allow_blank) or not _is_storable(text):
            raise NotPlain
        return text


class Choice(serializers.ChoiceField):
    """One of some words."""

    def plain(self, value: Any) -> str:
        """The word. Raises NotPlain."""
        if type(value) is not str or value not in self.choices:
            raise NotPlain
        return value


class Digest(serializers.RegexField):
    """SHA-256 in hexadecimal, of either case."""

    def __init__(self, **options: Any) -> None:
        super().__init__(regex=rf"^{_SHA256.pattern}\Z", **options)

    def plain(self, value: Any) -> str:
        """The digits. Raises NotPlain."""
        if type(value) is not str or not _SHA256.fullmatch(value):
            raise NotPlain
        return value


class Whole(serializers.IntegerField):
    """A JSON integer: no text, no 3.0, no true."""

    def to_internal_value(self, data: Any) -> int:
        """The number."""
        if type(data) is not int:
            self.fail("invalid")
        return data

    def plain(self, value: Any) -> int:
        """The number. Raises NotPlain."""
        least, most = self.min_value, self.max_value
        if (
            type(value) is not int
            or not (least is None or least <= value)
            or not (most is None or value <= most)
        ):
            raise NotPlain
        return value


class Instant(serializers.DateTimeField):
    """ISO 8601 as RFC 3339 has it, with a zone, in our time (1990 to 2099), as UTC.

    A leap second is refused like any other second that no clock of ours can show.
    """

    default_error_messages = {
        "instant": _("Write it as ISO 8601 with its zone, such as 2026-11-24T10:00:00Z."),
    }

    def to_internal_value(self, value: Any) -> datetime:
        """The instant."""
        try:
            return self.plain(value)
        except NotPlain:
            self.fail("instant")

    def plain(self, value: Any) -> datetime:
        """The instant. Raises NotPlain."""
        if type(value) is not str or not _RFC_3339.fullmatch(value):
            raise NotPlain
        try:
            return instant(value.upper())
        except ValueError:
            raise NotPlain from None


class Rows(serializers.ListField):
    """Thousands of objects of one flat shape, whose fields are those above.

    Each field of an object that is plainly right is read at once, five times as fast as its serializer would.
    Everything else goes to the serializer: what is refused, where and in which words, is its alone.
    """

    child: Shape

    def __init__(self, *, child: Shape, least: int, most: int, **options: Any) -> None:
        super().__init__(child=child, min_length=least, max_length=most, **options)

    def to_internal_value(self, data: Any) -> list[dict[str, Any]]:
        """Raises ValidationError; for a list that is too long before anything in it is looked at."""
        if isinstance(data, list) and self.max_length is not None and len(data) > self.max_length:
            raise ValidationError(self.error_messages["max_length"].format(max_length=self.max_length))
        read: list[dict[str, Any]] = super().to_internal_value(data)
        return read

    def run_child_validation(self, data: list[Any]) -> list[dict[str, Any]]:
        """The objects. Raises ValidationError that names the first hundred that are wrong."""
        read: list[dict[str, Any]] = []
        wrong: dict[str, Any] = {}
        for number, item in enumerate(data):
            try:
                read.append(self._plain(item))
            except NotPlain:
                try:
                    read.append(self.child.run_validation(item))
                except ValidationError as error:
                    wrong[str(number)] = error.detail
                    if len(wrong) == MOST_ERRORS:
                        break
        if wrong:
            raise ValidationError(wrong)
        return read

    @cached_property
    def _readers(self) -> dict[str, tuple[Callable[[Any], Any], bool]]:
        """Name -> how its value is read, and whether it may be null."""
        fields = cast("dict[str, Text | Choice | Digest | Whole | Instant]", self.child.fields)
        return {name: (field.plain, field.allow_null) for name, field in fields.items()}

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for name, field in self.child.fields.items() if field.required)

    def _plain(self, item: Any) -> dict[str, Any]:
        """Raises NotPlain."""
        if type(item) is not dict or not self._required <= item.keys():
            raise NotPlain
        read: dict[str, Any] = {}
        for name, value in item.items():
            if name not in self._readers:
                raise NotPlain
            reader, may_be_null = self._readers[name]
            read[name] = None if value is None and may_be_null else reader(value)
        return read


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


def _is_storable(text: str) -> bool:
    """Whether PostgreSQL takes it as text."""
    return "\0" not in text and (
        text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)
    )


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
