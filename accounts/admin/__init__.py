"""People and keys: the functional admin's pages. No case content is here."""

from accounts.admin import key, user

__all__ = ["key", "user"]
