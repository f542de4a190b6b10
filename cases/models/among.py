"""A condition on many values that costs one parameter."""

from collections.abc import Iterable
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, F, Field, Func, Value


class Among(Func):
    """`column = ANY(array)`, for `filter`. `in` binds each value by itself: of thousands that costs more than the query."""

    template = "(%(expressions)s))"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, column: str, values: Iterable[Any], *, of: "Field[Any, Any]") -> None:
        super().__init__(F(column), Value(list(values), output_field=ArrayField(of)))
