"""Translations without gettext's programs."""

from pathlib import Path

import pytest

from local import messages

CODE = """
from django.utils.translation import gettext as _, gettext_lazy, ngettext, pgettext
a = _("Save")
b = ngettext("%(count)d notice", "%(count)d notices", 2)
c = pgettext("month", "May")
"""
TEMPLATE = """{% load i18n %}<p>{% translate "Log in" %}
      <b>{% blocktranslate trimmed with n=notice.masked_url %}
        Notice {{ n }} isn't
        "open".
      {% endblocktranslate %}</b>
   {# nothing #}{{ x|default:_("None yet") }}
"""


@pytest.fixture
def house(tmp_path: Path) -> Path:
    (tmp_path / "cases").mkdir()
    (tmp_path / "cases" / "words.py").write_text(CODE)
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "page.html").write_text(TEMPLATE)
    messages.update(tmp_path)
    return tmp_path


def translate(house: Path, old: str, new: str) -> None:
    po = messages.po_path("nl", house)
    assert old in po.read_text()
    po.write_text(po.read_text().replace(old, new))


def test_texts_are_found_in_code_and_templates(house: Path) -> None:
    found = {message.id for message in messages.texts(house) if message.id}
    assert found == {
        "Save",
        ("%(count)d notice", "%(count)d notices"),
        "May",
        "Log in",
        'Notice %(n)s isn\'t "open".',
        "None yet",
    }


def test_english_is_complete_by_itself_and_dutch_waits(house: Path) -> None:
    faults = list(messages.faults(house))
    assert len(faults) == 6
    assert all(fault.startswith("nl: missing: ") for fault in faults)
    assert any("cases/words.py" in fault for fault in faults)


def test_a_missing_an_unused_and_a_broken_translation_are_named(house: Path) -> None:
    translate(house, 'msgid "Save"\nmsgstr ""', 'msgid "Save"\nmsgstr "Opslaan"')
    translate(house, 'msgstr[0] ""', 'msgstr[0] "%(n)d melding"')
    translate(house, 'msgstr[1] ""', 'msgstr[1] "%(n)d meldingen"')
    (house / "cases" / "words.py").write_text(CODE.replace('"Save"', '"Keep"'))

    faults = "\n".join(messages.faults(house))

    assert "nl: missing: 'Keep'" in faults
    assert "nl: no longer used: 'Save'" in faults
    assert "nl: wrong: '%(count)d notice'" in faults


def test_an_update_keeps_translations_and_writes_nothing_when_nothing_changed(house: Path) -> None:
    translate(house, 'msgid "Save"\nmsgstr ""', 'msgid "Save"\nmsgstr "Opslaan"')
    messages.update(house)
    before = messages.po_path("nl", house).stat().st_mtime_ns
    messages.update(house)

    assert 'msgstr "Opslaan"' in messages.po_path("nl", house).read_text()
    assert messages.po_path("nl", house).stat().st_mtime_ns == before


def test_compiled_texts_follow_their_source(house: Path) -> None:
    translate(house, 'msgid "Save"\nmsgstr ""', 'msgid "Save"\nmsgstr "Opslaan"')
    messages.compile_stale(house)
    assert b"Opslaan" in messages.po_path("nl", house).with_suffix(".mo").read_bytes()
