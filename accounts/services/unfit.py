"""What is refused about people and keys."""

from audit.refused import Refused


class Unfit(Refused):
    """It cannot be done with this person or key as they stand."""

    code = "unfit"
