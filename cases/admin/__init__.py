"""The staff's desks for cases: work, search, outbox, overdue, quarantine, reports, terms.

Pages show; buttons are forms that POST to a service (audit/desk.py). A new button of a notice is an entry in
`buttons.BUTTONS`, a new queue one in `queues.QUEUES`, a new act a sentence in `sentences.ACTS`.
"""

from cases.admin import dispatch, letters, notice, origins, questions, report, rules, second, vocabulary

__all__ = ["dispatch", "letters", "notice", "origins", "questions", "report", "rules", "second", "vocabulary"]
