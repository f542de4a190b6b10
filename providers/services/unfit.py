"""Why something cannot be done with a provider."""

from audit.refused import Refused


class Unfit(Refused):
    """It cannot be done with these words, or not with this contact or rule as it stands."""

    code = "unfit"
