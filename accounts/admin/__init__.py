"""People, how they come in, and keys: the functional admin's pages. No case content is here."""

from accounts.admin import invitation, key, recovery, user

__all__ = ["invitation", "key", "recovery", "user"]
