"""What is known of notices beside their rows: for the lines of a message, one query for all of them."""

from collections.abc import Collection

from cases.models import Assessment, ReportLine


def judged_types(notice_ids: Collection[int]) -> dict[int, str]:
    """id of a notice -> what its last judgement says that it is: a code of `content_type`; "" is left out."""
    judged = (
        Assessment.objects.filter(notice__in=notice_ids)
        .order_by("notice_id", "at", "pk")
        .values_list("notice_id", "answers")
    )
    return {notice_id: said for notice_id, answers in judged if (said := answers.get("content_type", ""))}


def referrers(notice_ids: Collection[int]) -> dict[int, str]:
    """id of a notice -> the referrer that the first report with one gave, as its text stands there."""
    lines = ReportLine.objects.filter(notice__in=notice_ids, referrer_sealed__isnull=False)
    newest_first = lines.only("notice_id", "referrer_sealed").order_by("notice_id", "-pk")
    return {line.notice_id: line.referrer for line in newest_first if line.notice_id is not None}
