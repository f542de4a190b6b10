"""Files of reports: what each shape takes, what is refused as a whole, and the command that takes them."""

import gzip
import io
import json
import os
import signal
import subprocess
import sys
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import translation

from cases.formats import receipt
from cases.intake import WAYS, csv_file, json_lines, pasted
from cases.intake.files import preview_file, take_file
from cases.intake.way import Unreadable
from cases.models import Notice, Report, ReportLine
from cases.services.receive import BATCH, Line, NoLines
from tests.factories import NOON, SYSTEM, SourceFactory

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "tests" / "data" / "reports-1000.csv"
EXPECTED = ROOT / "tests" / "data" / "reports-1000.expected.csv"
A = "https://forum.example/a.jpg"


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def read(content: bytes | str) -> list[Line]:
    """The lines of a CSV file."""
    return list(csv_file.lines(io.BytesIO(content.encode() if isinstance(content, str) else content)))


def refusal(content: bytes | str) -> str:
    """Why a CSV file is refused."""
    with pytest.raises(Unreadable) as refused:
        read(content)
    return str(refused.value)


# -- CSV -----------------------------------------------------------------------------------------------


def test_columns_may_stand_in_any_order_and_be_left_out() -> None:
    text = "note;received_at;URL ;SHA256\r\n=1+1;2026-11-19T17:47:00+01:00;" + A + ";ab\r\n;;" + A + ";\r\n"

    moment = datetime(2026, 11, 19, 16, 47, tzinfo=UTC)
    assert read(text) == [Line(A, note="=1+1", received_at=moment, sha256="ab"), Line(A)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"])
def test_a_bom_quotation_marks_and_line_ends_in_fields_are_read_as_they_are_meant(
    begin: bytes, end: str
) -> None:
    text = f'url;note{end}"{A}";"two{end}lines; ""quoted"""{end}{end}{A};last'

    lines = read(begin + text.encode())

    assert lines == [Line(A, note=f'two{end}lines; "quoted"'), Line(A, note="last")]


@pytest.mark.parametrize(
    "instant",
    [
        "2026-11-19", "2026-11-19T17:47:00", "19-11-2026 17:47", "2026-02-30T00:00:00Z",
        "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00", "1899-01-01T00:00:00Z",
        "٢٠٢٦-11-19T17:47:00Z", "now", "1e999", "9" * 5_000, "2026-11-19T23:59:60Z", "2026-11-19T25:00:00Z",
        "2026-11-19T17:47:00+25:00", "2100-01-01T00:00:00Z",
        # The clocks of Amsterdam skip the one and show the other twice: without a zone neither is an instant.
        "2026-03-29T02:30:00", "2026-10-25T02:30:00", "2026-10-25T02:30:00 Europe/Amsterdam",
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_the_fault_of_its_line(instant: str) -> None:
    lines = read(f"url;received_at\n{A};{instant}\n{A};\n")

    assert lines == [Line(A, fault="bad_received_at"), Line(A)]


@pytest.mark.parametrize(
    "instant", ["2026-03-29T02:30:00+01:00", "2026-10-25T02:30:00+02:00", "2026-11-19T00:00Z"]
)
def test_an_instant_with_its_zone_is_certain_on_every_day_of_the_year(instant: str) -> None:
    (line,) = read(f"url;received_at\n{A};{instant}\n")

    assert line.received_at == datetime.fromisoformat(instant)


def test_a_line_with_more_or_fewer_fields_than_the_header_never_loses_the_rest() -> None:
    lines = read(f"url;note\n{A};x;y\n{A}\n{A};x\n")

    assert [line.fault for line in lines] == ["bad_columns", "bad_columns", ""]


def zipped(name: str) -> bytes:
    """An archive with one file in it, as a spreadsheet is."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "url\n")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        ("url;colour\n", "Line 1: There is no column “colour”."),
        ("note;category\n", "Line 1: The column “url” is missing."),
        ("url;note;URL\n", "Line 1: The column “url” is there twice."),
        ("url,note\n", "Line 1: The columns are not separated by semicolons"),
        ("url\tnote\n", "Line 1: The columns are not separated by semicolons"),
        (f"{A}\n{A}\n", "Line 1: The first line is no header."),
        ("url;\n", "Line 1: The first line is no header."),
        (b"url\nhttps://forum.example/\xe9\n", "Line 2: It is not in UTF-8"),
        ("url\nx\n".encode("utf-16"), "UTF-16"),
        ("url\nx\n".encode("utf-16-le"), "Line 1: There is a NUL character"),
        (f"url\n{A}\0\n", "Line 2: There is a NUL character"),
        (f"url\r{A}\r", "Line 1: There is a carriage return"),
        (f"url\n{A}\rb\n", "Line 2: There is a carriage return"),
        (f'url\n{A}\n"{A}\n' + f"{A}\n" * 10_000, "Line 3: A quotation mark that opens here is not closed"),
        (f'url\n{A}\n"{A}\n{A}\n', "Line 3: A quotation mark that opens here is not closed"),
        (f'url\n"{A}"b\n', "Line 2: A quotation mark closes in the middle"),
        (f"url;note\n{A};{'x' * 200_000}\n", "or a field is longer than 131,072 characters"),
        (f"url;note\n{A};x\n{A};{'x' * 200_000}\n", "Line 3: A quotation mark"),
        (f'url;note\n{A};x\n{A};"cut off in the mid', "Line 3: A quotation mark that opens here is not closed"),
        (f"url|note\n{A}|x\n", "Line 1: The first line is no header."),
        ("url\n\u201e\n".encode("windows-1252"), "Line 2: It is not in UTF-8 (perhaps Windows-1252)."),
        ("__proto__;url\n", "Line 1: There is no column “__proto__”."),
        (b"url\n" + b"x" * 2_000_000, "Line 2: It is longer than a million characters."),
        (zipped("xl/workbook.xml"), "spreadsheet or a ZIP"),
        (gzip.compress(b"url\n"), "compressed"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_such_csv_is_refused_naming_the_line(content: bytes | str, words: str) -> None:
    assert words in refusal(content)


def test_a_file_cut_off_in_a_line_loses_that_line_and_no_other() -> None:
    lines = read(f"url;reference;note\n{A};1;x\n{A};2")

    assert [(line.reference, line.fault) for line in lines] == [("1", ""), ("", "bad_columns")]


def test_a_refusal_does_not_repeat_what_stands_in_the_file() -> None:
    for content in (f"{A}\n", f'url\n"{A}\n', f'url\n"{A}"b\n', f"url\n{A}\0\n"):
        assert "forum" not in refusal(content)


# -- JSON lines, pasted lists --------------------------------------------------------------------------


def test_json_lines_have_the_columns_of_the_csv() -> None:
    line = {"url": A, "referrer": None, "reference": "7", "received_at": "2026-11-19T17:47:00+01:00"}
    stream = io.BytesIO((json.dumps(line) + "\n\n" + json.dumps({"url": "é"}) + "\n").encode())

    assert list(json_lines.lines(stream)) == [
        Line(A, reference="7", received_at=datetime(2026, 11, 19, 16, 47, tzinfo=UTC)),
        Line("é"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "not a JSON object"),
        ('[{"url": "x"}]', "not a JSON object"),
        ('"x"', "not a JSON object"),
        ("{}", "must have “url”"),
        ('{"url": 7}', "Every value must be a text"),
        ('{"url": ["x"]}', "Every value must be a text"),
        ('{"url": "x", "colour": "y"}', "and may have: referrer"),
        ('{"url": "x", "__proto__": {"url": "y"}}', "and may have: referrer"),
        ('{"url": "x", "url": "y"}', "the same key twice"),
        ("{", "not JSON (column 2)"),
        ('{"url": "cut off in the mid', "not JSON (column 9)"),
        ('{"url": "x"} {"url": "y"}', "not JSON (column 14)"),
        ('{"url": "x"}\r{"url": "y"}', "not JSON (column 14)"),
        ('{"url": NaN}', "NaN is not a number"),
        ('{"url": -Infinity}', "-Infinity is not a number"),
        ('{"url": 1e999}', "A number is too large"),
        ('{"url": ' + "9" * 5_000 + "}", "A number is too large"),
        ('{"url": "x", "note": ' + "[" * 30 + "]" * 30 + "}", "nested deeper than 20"),
        ('{"url": ' + "[" * 99_999 + "]" * 99_999 + "}", "nested deeper than 20"),
        ('{"url": ' + "[" * 100_000 + "]" * 100_000 + "}", "more than 100000 objects and lists"),
        ('{"url": "\\u0000"}', "NUL or half a character"),
        ('{"url": "\\ud800"}', "NUL or half a character"),
        ('{"\\ud800": "x", "url": "x"}', "NUL or half a character"),
        (b'{"url": "\0"}', "NUL character"),
        (b'{"url": "\xe9"}', "not in UTF-8"),
        (b'{"url": "' + b"x" * 2_000_000 + b'"}', "longer than a million"),
    ],
    ids=range(26),
)
def test_json_lines_of_another_shape_are_refused_naming_the_line(text: str | bytes, words: str) -> None:
    second = text if isinstance(text, bytes) else text.encode()

    with pytest.raises(Unreadable) as refused:
        list(json_lines.lines(io.BytesIO(b'\xef\xbb\xbf{"url": "x"}\n' + second + b"\n")))

    assert refused.value.line == 2
    assert words in str(refused.value)
    assert "cut off" not in str(refused.value)


@pytest.mark.parametrize(
    "instant",
    ["2026-11-19T17:47:00", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "2026-03-29T02:30:00", "1e999"],
)
def test_a_time_that_is_none_is_the_fault_of_its_line_of_json_too(instant: str) -> None:
    text = json.dumps({"url": A, "received_at": instant}) + "\n" + json.dumps({"url": A})

    assert [line.fault for line in json_lines.lines(io.BytesIO(text.encode()))] == ["bad_received_at", ""]


def test_a_pasted_list_has_one_address_on_a_line() -> None:
    assert pasted.lines(f"{A}\r\n\n \r{A}\u2028b\n") == [Line(A), Line(f"{A}\u2028b")]


# -- Every way in ----------------------------------------------------------------------------------------


def test_no_two_ways_in_want_the_same_files() -> None:
    suffixes = [suffix for way in WAYS for suffix in way.suffixes]

    assert len(suffixes) == len(set(suffixes))
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


@pytest.mark.django_db
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.code)
def test_every_way_in_refuses_what_is_not_text_and_stores_nothing(way: Any) -> None:
    for content in (b"\xff\xfeu\x00", b"\x1f\x8b\x08", b"PK\x03\x04", b"url\n\0", b"\xe9\n"):
        with pytest.raises(Unreadable):
            take_file(
                io.BytesIO(content), name=f"x{way.suffixes[0]}", source=SourceFactory(), by=SYSTEM, now=NOON
            )
    assert not Report.objects.exists()


@pytest.mark.django_db
def test_a_header_without_lines_is_refused() -> None:
    for act in (lambda: take(b"url\n"), lambda: preview_file(io.BytesIO(b"url\n"), name="a.csv")):
        with pytest.raises(NoLines):
            act()


def take(content: bytes, name: str = "a.csv") -> Report:
    """Take a file in, from the staff."""
    return take_file(io.BytesIO(content), name=name, source=SourceFactory(), by=SYSTEM, now=NOON)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a.xlsx", "a", "", "../../a.csv\r\nX", "a.csv\u202e"])
def test_a_file_of_an_unknown_kind_is_refused_and_the_known_ones_are_named(name: str) -> None:
    with pytest.raises(Unreadable, match=r"\.csv"):
        take(b"url\n", name)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a.CSV", "../../a.csv", "a\r\nb\u202e.csv"])
def test_nothing_of_a_files_name_counts_but_its_ending(name: str) -> None:
    assert take(f"url\n{A}\n".encode(), name).done == 1


@pytest.mark.django_db
def test_a_file_that_turns_bad_in_the_middle_leaves_nothing() -> None:
    with pytest.raises(Unreadable):
        take(b"url\n" + b"https://forum.example/\n" * (BATCH * 2) + b"\xff\n")

    assert not Report.objects.exists()


@pytest.mark.django_db
def test_formulas_stay_text_and_never_come_into_the_receipt() -> None:
    report = take(f"url;note;reference\n{A};=1+1;+1\n=cmd;@x;-1\n".encode())

    text = "".join(receipt.as_csv(receipt.lines(report)))
    assert text.splitlines()[0] == "line;outcome;notice;reason"
    assert "=" not in text
    assert [line.outcome for line in receipt.lines(report)] == ["new", "rejected"]


@pytest.mark.django_db
def test_reading_a_hundred_thousand_lines_keeps_memory_flat() -> None:
    def peak(count: int) -> int:
        content = b"url\n" + b"".join(b"https://forum.example/%06d.jpg\n" % number for number in range(count))
        stream = io.BytesIO(content)
        tracemalloc.start()
        assert sum(1 for _line in csv_file.lines(stream)) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(100_000) < peak(1_000) + 500_000


# -- The command -------------------------------------------------------------------------------------------


def command(*arguments: str) -> tuple[str, str]:
    """stdout and stderr of `import_reports`. Raises CommandError."""
    out, err = io.StringIO(), io.StringIO()
    call_command("import_reports", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_the_command_writes_the_receipt_of_the_sample_file() -> None:
    out, err = command(str(SAMPLE), "--source", "partner")

    outcomes = [";".join(line.split(";")[:2]) for line in out.splitlines()]
    assert outcomes == EXPECTED.read_text(encoding="utf-8").splitlines()
    assert "new 820, duplicate 120, reappeared 0, rejected 30, quarantined 30" in err
    assert "1000 of 1000 lines" in err


@pytest.mark.django_db
def test_the_same_file_again_gives_the_first_receipt(tmp_path: Path) -> None:
    first, _err = command(str(SAMPLE), "--source", "partner")
    path = tmp_path / "receipt.csv"

    out, err = command(str(SAMPLE), "--source", "partner", "--receipt", str(path))

    assert out == ""
    assert path.read_bytes().decode() == first
    assert f"as report {Report.objects.get().reference}: nothing was added" in err


@pytest.mark.django_db
def test_a_dry_run_stores_nothing_and_says_what_would_happen() -> None:
    out, err = command(str(SAMPLE), "--source", "partner", "--dry-run")

    assert out.count(";new;;") == 820
    assert "Dry run: nothing was stored." in err
    assert not Report.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((str(SAMPLE), "--source", "nobody"), 1),
        ((str(SAMPLE), "--source", "nobody", "--dry-run"), 1),
        ((str(Path(__file__)), "--source", "partner"), 1),
        (("missing.csv", "--source", "partner"), 2),
        ((str(SAMPLE.parent), "--source", "partner"), 2),
    ],
)
def test_a_refusal_ends_with_its_status(arguments: tuple[str, ...], status: int) -> None:
    with pytest.raises(CommandError) as refused:
        command(*arguments)

    assert refused.value.returncode == status
    assert not Report.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_import_that_is_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    count = 10 * BATCH
    path = tmp_path / "many.csv"
    path.write_text("url\n" + "".join(f"https://forum.example/{number}.jpg\n" for number in range(count)))
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    program = subprocess.Popen(
        [sys.executable, "manage.py", "import_reports", str(path), "--source", "partner"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": f"{server}/{connection.settings_dict['NAME']}"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while program.poll() is None and not Report.objects.filter(done__gt=0).exists():
        time.sleep(0.01)
    program.send_signal(signal.SIGKILL)
    program.wait()
    broken_off = Report.objects.get().done
    assert 0 < broken_off < count

    _out, err = command(str(path), "--source", "partner")

    assert f"new {count}" in err
    assert err.startswith(f"{broken_off} of {count} lines\n"), "it says how far it was"
    report = Report.objects.get()
    assert report.done == report.total == ReportLine.objects.count() == Notice.objects.count() == count
