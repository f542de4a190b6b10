"""What was judged before of the notice at hand, as the work desk shows and offers it."""

from typing import Any, Final

from django import forms

from accounts.names import Names
from cases.admin.forms import PressForm
from cases.admin.words import in_words
from cases.models import Notice
from cases.services.known import known

#: So many earlier judgements are written out where they contradict each other.
SHOWN: Final = 5


class TakeForm(PressForm):
    """The judgement that was offered on this page."""

    assessment_id = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


def shown(notice: Notice) -> dict[str, Any] | None:
    """What templates/staff/known.html needs; None if the material was never judged before."""
    found = known(notice)
    if found is None:
        return None
    names, some = Names(), found.earlier[:SHOWN]
    if found.offer is not None:
        some = (found.offer,)
    words = in_words([each.assessment for each in some])
    return {
        "form": TakeForm(
            initial={"version": notice.version, "assessment_id": found.offer.assessment.pk}, auto_id="take_%s"
        )
        if found.offer
        else None,
        "earlier": [
            {
                "words": said,
                "by": names.of(f"user:{each.assessment.assessor_id}"),
                "at": each.assessment.at,
                "notice": each.notice,
                "evidence": each.evidence,
            }
            for each, said in zip(some, words, strict=True)
        ],
        "objection_upheld": found.objection_upheld,
        "several": len(found.earlier) > 1,
        "by_address": found.by_address,
        "by_digest": found.by_digest,
    }
