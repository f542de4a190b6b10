"""What templates say: badges, instants in two zones, time left."""

from datetime import UTC, datetime, timedelta

import pytest
from django.template import Context, Template
from django.utils import translation
from django.utils.dateformat import format as date_format
from django.utils.safestring import mark_safe

from cases.models import Dispatch, Notice, Sighting
from takedown.look import BADGES, ICONS
from takedown.templatetags import house

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def render(source: str, **context: object) -> str:
    with translation.override("en"):
        return Template(source).render(Context(context))


@pytest.mark.parametrize("code", [*Notice.State.values, *Dispatch.State.values, *Sighting.Outcome.values])
def test_every_state_has_a_badge(code: str) -> None:
    assert code in BADGES


def test_every_badge_has_an_icon_that_exists() -> None:
    assert {badge.icon for badge in BADGES.values()} <= ICONS.keys()


def test_an_unknown_state_is_shown_and_escaped() -> None:
    assert "&lt;b&gt;" in render("{{ code|badge }}", code="<b>")


def test_an_instant_is_said_in_both_zones() -> None:
    said = render("{{ at|instant }}", at=NOON)

    assert 'datetime="2026-11-24T12:00:00Z"' in said
    assert "24 Nov 2026, 12:00" in said
    assert "(13:00 Amsterdam)" in said


def test_the_other_day_is_said_when_amsterdam_is_past_midnight() -> None:
    assert "(25 Nov 00:30 Amsterdam)" in render("{{ at|instant }}", at=NOON + 11.5 * HOUR)


def test_an_instant_that_is_not_known_is_a_dash_with_words() -> None:
    said = render("{{ at|instant }}", at=None)

    assert "—" in said
    assert "not yet" in said


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(0), "0 s"),
        (timedelta(seconds=59), "59 s"),
        (timedelta(seconds=65), "1 min 5 s"),
        (timedelta(minutes=10, seconds=59), "10 min"),
        (timedelta(hours=3, minutes=12, seconds=59), "3 h 12 min"),
        (timedelta(hours=47, minutes=59), "47 h 59 min"),
        (timedelta(hours=52), "2 d 4 h"),
        (-timedelta(hours=2), "2 h 0 min"),
    ],
)
def test_a_duration_is_its_two_largest_units_rounded_down(span: timedelta, said: str) -> None:
    with translation.override("en"):
        assert house.duration(span) == said


@pytest.mark.parametrize(
    ("left", "tone", "said"),
    [
        (20 * HOUR, "calm", "20 h 0 min left"),
        (4 * HOUR, "soon", "4 h 0 min left"),
        (timedelta(0), "over", "0 s over"),
        (-2 * HOUR, "over", "2 h 0 min over"),
    ],
)
def test_the_time_left_turns_soon_in_the_last_sixth_and_over_at_the_very_moment(
    left: timedelta, tone: str, said: str
) -> None:
    due = NOON + left
    shown = render("{% time_left due start now=now %}", due=due, start=due - 24 * HOUR, now=NOON)

    assert f"timeleft--{tone}" in shown
    assert said in shown


def test_a_clock_that_has_ended_no_longer_counts() -> None:
    shown = render("{% time_left due start ended %}", due=NOON, start=NOON - 24 * HOUR, ended=NOON - HOUR)

    assert "1 h 0 min to spare" in shown
    assert "data-due" not in shown


def test_a_table_can_be_reached_by_keyboard_and_has_a_name() -> None:
    shown = render("{% table label=name %}<tbody></tbody>{% endtable %}", name="Open <notices>")

    assert 'tabindex="0"' in shown
    assert 'aria-label="Open &lt;notices&gt;"' in shown


def test_a_cell_of_the_admin_gets_the_name_of_its_column() -> None:
    headers = [{"text": "state", "class_attrib": ' class="column-state"'}]

    (cell,) = house.labelled([house.mark_safe('<td class="field-state">x</td>')], headers)

    assert cell == '<td data-label="State" class="field-state">x</td>'


@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("day", range(0, 366, 15))
def test_instants_are_written_as_django_writes_them(day: int, language: str) -> None:
    at = datetime(2024, 1, 1, 23, 5, 9, 999_999, tzinfo=UTC) + timedelta(days=day, hours=day % 24)

    with translation.override(language):
        full, short = house.instant(at, "seconds"), house.instant(at, "short")

        assert f">{date_format(at, 'j M Y, H:i:s')} <" in full
        assert f">{date_format(at, 'j M Y H:i')} <" in short
        assert date_format(at.astimezone(house.AMSTERDAM), "H:i") in short
        assert f'datetime="{at:%Y-%m-%dT%H:%M:%SZ}"' in full


def test_what_is_kept_for_one_language_is_not_said_in_another() -> None:
    said: dict[str, set[str]] = {}
    for language in ("nl", "en", "nl", "en"):
        with translation.override(language):
            said.setdefault(language, set()).add(
                house.badge("removed")
                + house.time_left(NOON + HOUR, now=NOON)
                + house.dash()
                + house.ago(NOON)
            )

    assert [len(texts) for texts in said.values()] == [1, 1]
    assert said["nl"] != said["en"]


def test_words_that_came_in_are_escaped_however_often_they_are_drawn() -> None:
    for _again in range(2):
        assert "<b>" not in house.badge("<b>") + house.dash("<b>") + house.icon("clock", "<b>")
        assert "<b>" not in house.render_badge("<b>", tone="calm")


def test_markup_and_text_of_the_same_letters_are_told_apart() -> None:
    safe, text = mark_safe("<b>x</b>"), "<b>x</b>"

    assert "<b>x</b>" in house.render_badge(safe, tone="calm")
    assert "&lt;b&gt;x" in house.render_badge(text, tone="calm")
