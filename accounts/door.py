"""What every door for machines has in common."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts import rows
from accounts.models import ApiKey, Scope


class Door(APIView):
    """Opens by GET and POST only where a scope is named for it, and knows every parameter it is given.

    A parameter that nobody reads is refused: a misspelt filter would be lost in silence, and a key that
    somebody writes into an address should fail before it stands in logs everywhere.
    """

    required_scope: ClassVar[dict[str, Scope]]
    #: The names that the query string may hold. The view says what their values may be.
    parameters: ClassVar[frozenset[str]] = frozenset()
    http_method_names = ["get", "head", "post"]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """What a provider's key asks for sees rows of that provider alone, by the database as well."""
        super().__init_subclass__(**kwargs)
        for name in ("get", "post"):
            if name in cls.__dict__:
                setattr(cls, name, _among_own_rows(cls.__dict__[name]))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After who it is and whether they may: ValidationError for parameters that are not there."""
        super().initial(request, *args, **kwargs)
        if unknown := sorted(request.query_params.keys() - self.parameters):
            raise ValidationError({name: [_("There is no such parameter.")] for name in unknown})


def _among_own_rows(method: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(method)
    def called(self: Door, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = request.auth
        provider_id = key.provider_id if isinstance(key, ApiKey) else None
        with nullcontext() if provider_id is None else rows.only_of(provider_id):
            return method(self, request, *args, **kwargs)

    return called
