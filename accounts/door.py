"""What every door for machines has in common."""

from typing import Any, ClassVar

from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import Scope


class Door(APIView):
    """Opens by GET and POST only where a scope is named for it, and knows every parameter it is given.

    A parameter that nobody reads is refused: a misspelt filter would be lost in silence, and a key that
    somebody writes into an address should fail before it stands in logs everywhere.
    """

    required_scope: ClassVar[dict[str, Scope]]
    #: The names that the query string may hold. The view says what their values may be.
    parameters: ClassVar[frozenset[str]] = frozenset()
    http_method_names = ["get", "head", "post"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After who it is and whether they may: ValidationError for parameters that are not there."""
        super().initial(request, *args, **kwargs)
        if unknown := sorted(request.query_params.keys() - self.parameters):
            raise ValidationError({name: [_("There is no such parameter.")] for name in unknown})
