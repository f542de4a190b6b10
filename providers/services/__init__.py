"""What people do with providers, one noun per file; each with its line in the audit."""

from providers.services.contact import (
    add_contact,
    approve_contact,
    change_contact,
    replace_contact,
    resume_contact,
    suspend_contact,
)
from providers.services.holder import assign_holder, pass_over_holder, take_up_holder
from providers.services.key import add_key, approve_key, retire_key
from providers.services.network import keep_network, remove_network
from providers.services.proposal import NoProposal, accept, decline, new_code, propose, prove, take_back
from providers.services.provider import add_provider, change_provider
from providers.services.registry import ask_about
from providers.services.relation import add_relation, end_relation, merge
from providers.services.rules import (
    add_asn_rule,
    add_holder_rule,
    add_host_rule,
    remove_asn_rule,
    remove_holder_rule,
    remove_host_rule,
)
from providers.services.secret import mint_secret, try_webhook
from providers.services.unfit import Unfit

__all__ = [
    "NoProposal",
    "Unfit",
    "accept",
    "add_asn_rule",
    "add_contact",
    "add_holder_rule",
    "add_host_rule",
    "add_key",
    "add_provider",
    "add_relation",
    "approve_contact",
    "approve_key",
    "ask_about",
    "assign_holder",
    "change_contact",
    "change_provider",
    "decline",
    "end_relation",
    "keep_network",
    "merge",
    "mint_secret",
    "new_code",
    "pass_over_holder",
    "propose",
    "prove",
    "remove_asn_rule",
    "remove_holder_rule",
    "remove_host_rule",
    "remove_network",
    "replace_contact",
    "resume_contact",
    "retire_key",
    "suspend_contact",
    "take_back",
    "take_up_holder",
    "try_webhook",
]
