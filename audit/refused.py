"""A refusal is an answer, not a fault: it says, to the person who asked, why it was not done."""


class Refused(Exception):
    """Base of every refusal; subclasses stand beside the verb. `code` is for machines, the text for people."""

    code = "refused"
