"""People who log in and where, keys that machines show, and how often a door is used."""

from accounts.models.bucket import Bucket
from accounts.models.invitation import Invitation, Recovery
from accounts.models.key import PROVIDER_SCOPES, ApiKey, IdempotentCall, KeyQuerySet, Scope
from accounts.models.session import Session, idle_limit
from accounts.models.user import ROLE_CHOICES, User, UserManager

__all__ = [
    "PROVIDER_SCOPES",
    "ROLE_CHOICES",
    "ApiKey",
    "Bucket",
    "IdempotentCall",
    "Invitation",
    "KeyQuerySet",
    "Recovery",
    "Scope",
    "Session",
    "User",
    "UserManager",
    "idle_limit",
]
