"""What a provider's page lets one fill in and press: one entry each, over one service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.forms import BaseForm
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from providers import services
from providers.admin import forms


@dataclass(frozen=True)
class Part:
    """A form on the page; its cleaned fields are the service's keywords."""

    name: str
    form: type[BaseForm]
    call: Callable[..., object]
    done: str | Promise
    cell: str = "provider.change"

    @property
    def prefix(self) -> str:
        """Of the ids of its fields: several forms stand on one page."""
        return f"{self.name}_%s"


@dataclass(frozen=True)
class Press:
    """A button beside a row. `route` names the row by the service's keyword.

    `asks` are its own fields, as text; `form` reads fields that are more than text.
    """

    name: str
    route: str
    call: Callable[..., object]
    done: str | Promise
    cell: str
    asks: tuple[str, ...] = ()
    form: type[BaseForm] | None = None


PARTS: Final = (
    Part("provider_edit", forms.ProviderForm, services.change_provider, _("Saved.")),
    Part(
        "contact_add",
        forms.ContactForm,
        services.add_contact,
        _("Added. Nothing goes there before it is approved."),
        "contact.add",
    ),
    Part("network_keep", forms.NetworkForm, services.keep_network, _("The network is kept.")),
    Part("relation_add", forms.RelationForm, services.add_relation, _("The relation is kept.")),
    Part(
        "provider_merge",
        forms.MergeForm,
        services.merge,
        _("Merged: what is looked up from now on leads to the other. Its new contacts wait for approval."),
        "contact.approve",
    ),
    Part("asn_rule_add", forms.AsnRuleForm, services.add_asn_rule, _("The rule is kept.")),
    Part("holder_rule_add", forms.HolderRuleForm, services.add_holder_rule, _("The rule is kept.")),
    Part("host_rule_add", forms.HostRuleForm, services.add_host_rule, _("The rule is kept.")),
)

_CONTACT, _NETWORK, _RULE = "contacts/<int:contact_id>", "networks/<int:network_id>", "rules/<uuid:rule_id>"
_ASN_RULE, _RELATION = "as-rules/<int:asn_rule_id>", "relations/<int:relation_id>"
_HOLDER_RULE = "holder-rules/<int:holder_rule_id>"

PRESSES: Final = (
    Press(
        "contact_approve",
        f"{_CONTACT}/approve/",
        services.approve_contact,
        _("Approved: notices may go there."),
        "contact.approve",
    ),
    Press(
        "contact_suspend",
        f"{_CONTACT}/suspend/",
        services.suspend_contact,
        _("Suspended: nothing goes there for now."),
        "contact.suspend",
        asks=("reason",),
    ),
    Press(
        "contact_resume",
        f"{_CONTACT}/resume/",
        services.resume_contact,
        _("It is in use again."),
        "contact.approve",
    ),
    Press("network_remove", f"{_NETWORK}/remove/", services.remove_network, _("Removed."), "provider.change"),
    Press(
        "relation_end",
        f"{_RELATION}/end/",
        services.end_relation,
        _("Ended: it holds no more from that day."),
        "provider.change",
        form=forms.EndForm,
    ),
    Press(
        "asn_rule_remove",
        f"{_ASN_RULE}/remove/",
        services.remove_asn_rule,
        _("Removed."),
        "provider.change",
    ),
    Press(
        "holder_rule_remove",
        f"{_HOLDER_RULE}/remove/",
        services.remove_holder_rule,
        _("Removed."),
        "provider.change",
    ),
    Press(
        "host_rule_remove",
        f"{_RULE}/remove/",
        services.remove_host_rule,
        _("Removed: look-ups decide again."),
        "provider.change",
    ),
)


def blank(part: Part, **arguments: Any) -> BaseForm:
    """The form of a part, with ids of its own."""
    form: Any = part.form
    made: BaseForm = form(auto_id=part.prefix, **arguments)
    return made
