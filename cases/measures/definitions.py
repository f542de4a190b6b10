"""What each figure means, in the words that stand beside it wherever it is shown."""

from datetime import timedelta
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

#: Goes up when a figure comes to mean something else; a figure is only compared with one of its own version.
VERSION: Final = 1
#: What the sector agreed: a notice is followed within this.
WITHIN: Final = timedelta(hours=24)
#: What comes back within this counts as back.
BACK_WITHIN: Final = timedelta(days=90)
#: Of fewer notices there is no percentage and no median (requirements, 11).
FEW: Final = 10


class Definition(NamedTuple):
    """A figure by its code; `name` is the head of its column."""

    code: str
    name: str | Promise
    text: str | Promise


DEFINITIONS: Final = (
    Definition(
        "notices",
        _("Notices"),
        _(
            "Notices that your own server accepted, or that you first saw here, within the quarter (UTC): that moment is"
            " t0. Not counted: notices that we took back, material that was gone before t0, and notices of which only our"
            " own relay says that they arrived."
        ),
    ),
    Definition(
        "within",
        _("Gone within 24 h"),
        _(
            "Of the notices whose 24 hours have passed: the share that we first saw gone within 24 hours after t0, with"
            " its 95 % interval by Wilson. What another provider hosts since is among those that were not."
        ),
    ),
    Definition(
        "km24",
        _("Gone within 24 h, estimated (KM24)"),
        _(
            "1 − S(24 h) by Kaplan and Meier: the same share, with the notices that still run or that we lost sight of"
            " counted up to the last look that saw them online; with Greenwood's 95 % interval on the log-log scale."
            " Material that moved to another provider is counted up to its move."
        ),
    ),
    Definition(
        "median",
        pgettext_lazy("of durations", "Median"),
        _(
            "By when half of the material was gone, by the same estimate: the first moment after t0 at which half or more"
            " was gone. “Not reached” when more than half remains as far as we have looked. Never an average of finished"
            " notices only."
        ),
    ),
    Definition("open", pgettext_lazy("notices", "Open"), _("Notices of the quarter that are not proven gone now.")),
    Definition("overdue", pgettext_lazy("notices", "Overdue"), _("Those of them whose due moment has passed.")),
    Definition(
        "exposure",
        _("Exposure"),
        _(
            "How long the material of the quarter stayed reachable after t0, added up over all its notices: up to the"
            " first look that saw it gone, or the last one that saw it online."
        ),
    ),
    Definition(
        "back",
        _("Came back"),
        _(
            "Removed notices of the quarter after which we sent you another within 90 days about the same address, or"
            " about the same file by its digest."
        ),
    ),
)  # fmt: skip
