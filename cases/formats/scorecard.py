"""A provider's own figures: in words for a page, and in seconds and shares of 1 for machines and spreadsheets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from cases.formats.notices_csv import written
from cases.measures.definitions import DEFINITIONS, VERSION
from cases.measures.measured import Measured
from cases.measures.share import Interval


@dataclass(frozen=True)
class InWords:
    """One quarter as people read it; "" and None where a figure has to be left out, `why` it is then."""

    figures: Measured
    share: str
    share_range: str
    km24: str
    km24_range: str
    median: timedelta | None
    why: str


def in_words(figures: Measured) -> InWords:
    """One quarter for a page."""
    why = ""
    if figures.is_few:
        why = _("fewer than 10") if figures.notices else ""
    elif figures.median is None:
        why = _("not reached")
    share, interval = figures.share, figures.km24_interval
    return InWords(
        figures=figures,
        share=percent(share.value) if share else "",
        share_range=_range(share),
        km24="" if figures.km24 is None else percent(figures.km24),
        km24_range=_range(interval),
        median=figures.median,
        why=why,
    )


def percent(share: float) -> str:
    """A share of 1, as the reader's language writes it."""
    return f"{number_format(share * 100, 1)} %"


def _range(interval: Interval | None) -> str:
    if interval is None:
        return ""
    low, high = (number_format(end * 100, 1) for end in (interval.low, interval.high))
    return _("95 %%: %(low)s to %(high)s") % {"low": low, "high": high}


def row(figures: Measured) -> dict[str, Any]:
    """One quarter by the names of the file's columns. New ones come at the end: people read it by their own scripts."""
    median = figures.median
    return {
        "quarter": str(figures.quarter),
        "notices": figures.notices,
        "ripe": figures.ripe,
        "within_24h": figures.within,
        **_interval("share", figures.share),
        **_interval("km24", figures.km24_interval),
        "km24": _share(figures.km24),
        "median_s": None if median is None else round(median.total_seconds()),
        "open": figures.open,
        "overdue": figures.overdue,
        "exposure_s": round(figures.exposure.total_seconds()),
        "came_back": figures.back,
        "left_out_withdrawn": figures.left_out.get("withdrawn", 0),
        "left_out_gone_before": figures.left_out.get("gone_before", 0),
        "left_out_estimated": figures.left_out.get("estimated", 0),
    }


def as_csv(quarters: Sequence[Measured]) -> str:
    """`;`-separated, a line for each quarter."""
    rows = [row(figures) for figures in quarters]
    return written([list(rows[0]), *(each.values() for each in rows)]) if rows else ""


def as_data(quarters: Sequence[Measured], *, provider: str, cut_off: datetime) -> dict[str, Any]:
    """What becomes JSON: the same with the definitions that it is by. `provider`: its code."""
    return {
        "provider": provider,
        "cut_off": f"{cut_off:%Y-%m-%dT%H:%M:%SZ}",
        "definitions": {
            "version": VERSION,
            "figures": {
                each.code: {"name": str(each.name), "definition": str(each.text)} for each in DEFINITIONS
            },
        },
        "quarters": [row(figures) for figures in quarters],
    }


def _interval(name: str, interval: Interval | None) -> dict[str, float | None]:
    value, low, high = (interval.value, interval.low, interval.high) if interval else (None, None, None)
    return {name: _share(value), f"{name}_low": _share(low), f"{name}_high": _share(high)}


def _share(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
