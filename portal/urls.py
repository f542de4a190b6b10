"""The addresses of the portal."""

from django.urls import path, register_converter

from cases.models.notice import NOTICE_REFERENCE
from portal.views import answers, colleagues, links, notice, notices


class Reference:
    """What does not look like a reference leads nowhere: the same 404 as one that is not yours."""

    regex = NOTICE_REFERENCE

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


register_converter(Reference, "notice_reference")

app_name = "portal"
urlpatterns = [
    path("", notices.notices, name="notices"),
    path("answers/", answers.answers, name="answers"),
    path("colleagues/", colleagues.colleagues, name="colleagues"),
    path("colleagues/invite/", colleagues.invite, name="invite"),
    path("colleagues/invitations/<int:pk>/revoke/", colleagues.revoke, name="invitation_revoke"),
    path("colleagues/<int:pk>/role/", colleagues.role, name="colleague_role"),
    path("colleagues/<int:pk>/end/", colleagues.end, name="colleague_end"),
    path("links/", links.links, name="links"),
    path("links/revoke/", links.revoke_all, name="links_revoke"),
    path("links/<int:pk>/revoke/", links.revoke, name="link_revoke"),
    path("notices/<notice_reference:reference>/", notice.notice, name="notice"),
    path("notices/<notice_reference:reference>/address/", notice.address, name="address"),
    path("notices/<notice_reference:reference>/answer/", notice.answer, name="answer"),
    path(
        "notices/<notice_reference:reference>/customer-reference/",
        notice.customer_reference,
        name="customer_reference",
    ),
]
