"""Pages for everybody: the public report form, and what became of a report."""

from cases.views.follow import follow
from cases.views.report import report

__all__ = ["follow", "report"]
