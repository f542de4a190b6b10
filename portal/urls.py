"""The addresses of the portal."""

from django.urls import path, register_converter
from django.urls.converters import IntConverter

from cases.measures.quarter import SPELLED
from cases.models.notice import NOTICE_REFERENCE
from cases.models.verdict import RECEIPT_REFERENCE
from portal.views import (
    answers,
    colleagues,
    contacts,
    keys,
    links,
    notice,
    notices,
    notifications,
    receipts,
    scorecard,
    webhooks,
)
from providers.models import Proposal


class Reference:
    """What does not look like a reference leads nowhere: the same 404 as one that is not yours."""

    regex = NOTICE_REFERENCE

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


class ReceiptReference(Reference):
    """The same of a receipt."""

    regex = RECEIPT_REFERENCE


class InQuarter(Reference):
    """A quarter as it is written, such as 2026-Q3."""

    regex = SPELLED


class ScorecardKind(Reference):
    """The files that a scorecard comes as."""

    regex = "csv|json"


class ProposalKind(Reference):
    """What can be proposed."""

    regex = "|".join(Proposal.Kind.values)


class Row(IntConverter):
    """The id of a row: a longer number is none of ours."""

    regex = "[0-9]{1,18}"


register_converter(Reference, "notice_reference")
register_converter(ReceiptReference, "receipt_reference")
register_converter(InQuarter, "quarter")
register_converter(ProposalKind, "proposal_kind")
register_converter(Row, "row")
register_converter(ScorecardKind, "scorecard_kind")

app_name = "portal"
urlpatterns = [
    path("", notices.notices, name="notices"),
    path("answers/", answers.answers, name="answers"),
    path("answers/file/", answers.upload, name="upload"),
    path("answers/to-fill-in/", answers.to_fill_in, name="to_fill_in"),
    path("answers/<uuid:token>/", answers.sheet, name="sheet"),
    path("answers/<uuid:token>/record/", answers.sheet_record, name="sheet_record"),
    path("answers/<uuid:token>/outcome.csv", answers.sheet_csv, name="sheet_csv"),
    path("claims/", receipts.claims, name="claims"),
    path("colleagues/", colleagues.colleagues, name="colleagues"),
    path("colleagues/invite/", colleagues.invite, name="invite"),
    path("colleagues/invitations/<int:pk>/revoke/", colleagues.revoke, name="invitation_revoke"),
    path("colleagues/<int:pk>/role/", colleagues.role, name="colleague_role"),
    path("colleagues/<int:pk>/end/", colleagues.end, name="colleague_end"),
    path("scorecard/", scorecard.scorecard, name="scorecard"),
    path("scorecard/scorecard.<scorecard_kind:kind>", scorecard.export, name="scorecard_export"),
    path("scorecard/<quarter:quarter>/comment/", scorecard.comment, name="scorecard_comment"),
    path("contacts/", contacts.contacts, name="contacts"),
    path("contacts/propose/<proposal_kind:kind>/", contacts.propose, name="propose"),
    path("contacts/proposals/<row:pk>/code/", contacts.code, name="proposal_code"),
    path("contacts/proposals/<row:pk>/prove/", contacts.prove, name="proposal_prove"),
    path("contacts/proposals/<row:pk>/take-back/", contacts.take_back, name="proposal_take_back"),
    path("notifications/", notifications.notifications, name="notifications"),
    path("notifications/contacts/<row:pk>/", notifications.of_contact, name="notifications_of_contact"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/<row:pk>/test/", webhooks.test, name="webhook_test"),
    path("webhooks/<row:pk>/secret/", webhooks.secret, name="webhook_secret"),
    path("webhooks/deliveries/<row:pk>/replay/", webhooks.replay, name="webhook_replay"),
    path("keys/", keys.keys, name="keys"),
    path("keys/new/", keys.new, name="key_new"),
    path("keys/<row:pk>/replace/", keys.replace, name="key_replace"),
    path("keys/<row:pk>/take-over/", keys.take_over, name="key_take_over"),
    path("keys/<row:pk>/revoke/", keys.revoke, name="key_revoke"),
    path("links/", links.links, name="links"),
    path("links/revoke/", links.revoke_all, name="links_revoke"),
    path("links/<row:pk>/revoke/", links.revoke, name="link_revoke"),
    path("notices/<notice_reference:reference>/", notice.notice, name="notice"),
    path("notices/<notice_reference:reference>/address/", notice.address, name="address"),
    path("notices/<notice_reference:reference>/answer/", notice.answer, name="answer"),
    path("notices/<notice_reference:reference>/messages/", notice.message, name="message"),
    path("notices/<notice_reference:reference>/messages/read/", notice.read, name="message_read"),
    path(
        "notices/<notice_reference:reference>/receipts/<receipt_reference:receipt>/",
        receipts.receipt,
        name="receipt",
    ),
    path(
        "notices/<notice_reference:reference>/customer-reference/",
        notice.customer_reference,
        name="customer_reference",
    ),
]
