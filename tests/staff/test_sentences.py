"""Every act that the code writes down has its sentence."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from cases.admin.sentences import ACTS, detail, sentence, step_name

ROOT = Path(__file__).resolve().parents[2]
#: Function -> where its act stands among the arguments, and its subject ("" when it is an argument as well).
WRITERS = {
    "record": (0, ""),
    "event": (0, ""),
    "record_alike": (0, ""),
    "moving": (1, "notice"),
    "moving_many": (1, "notice"),
    "move_all": (1, "notice"),
    "change": (2, "dispatch"),
}


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _written() -> Iterator[tuple[str, str]]:
    """(subject, act) of every call in the services that writes an event."""
    for path in (ROOT / "cases").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name not in WRITERS:
                continue
            place, subject = WRITERS[name]
            if len(node.args) <= place + (not subject):
                continue
            act = _text(node.args[place])
            about = subject or _text(node.args[place + 1])
            if act and about in {"notice", "dispatch", "report", "reply_mail"}:
                yield about, act


def test_every_act_that_is_written_down_has_a_sentence() -> None:
    written = set(_written())

    assert written - {(subject, act) for subject, act, _state in ACTS} == set()
    assert ("notice", "escalate") in written  # the walk finds what it should
    assert len(written) > 20


def test_an_act_says_more_when_it_moved_the_notice() -> None:
    assert str(sentence("notify", became="notified").text).startswith("It arrived")
    assert str(sentence("notify").text) == "Handed to our relay"
    assert str(sentence("something_new").text) == "something new"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (None, ""),
        ({"class": "baseline", "reason": ""}, "illegal: baseline"),
        ({"class": "not_illegal", "reason": "adult"}, "not illegal, adult"),
        ({"step": "reminder-2"}, "reminder 2"),
        ({"reason": "police"}, "the police ask"),
        ({"because": "objection_upheld"}, "objection upheld"),
        ({"unknown": "left out"}, ""),
    ],
)
def test_data_is_said_in_words(data: dict[str, str] | None, said: str) -> None:
    assert detail(data) == said


def test_a_step_has_a_name() -> None:
    assert [step_name(code) for code in ("first", "hint", "reminder-3", "call")] == [
        "first notice", "hint: the term is nearly over", "reminder 3", "call the provider"
    ]  # fmt: skip
