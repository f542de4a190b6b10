"""A routing table comes in whole or not at all, in the formats that collectors publish."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from providers import routes as held
from providers.files import BadFile
from providers.models import RoutingPart, RoutingTable
from providers.routes import Route, TooSmall, import_routes, routes
from tests.factories import NOON, SYSTEM

pytestmark = pytest.mark.django_db

PFX2AS = "192.0.2.0\t24\t64500\n198.51.100.0\t25\t64501_64502\n2001:db8::\t32\t64503,64504\n"
RIS = """\
% This is RIPE NCC's dump
% 64500 is an AS

64500\t192.0.2.0/24\t371
64501\t198.51.100.0/25\t300
64502\t198.51.100.0/25\t12
{64503,64504}\t2001:db8::/32\t100
64666\t192.0.2.128/25\t9
64666\t0.0.0.0/0\t300
"""
BGPDUMP = """\
TABLE_DUMP2|1763985600|B|203.0.113.1|64510|192.0.2.0/24|64510 64500|IGP|203.0.113.1|0|0||NAG||
TABLE_DUMP2|1763985600|B|203.0.113.2|64511|192.0.2.0/24|64511 64512 64500 64500|IGP|203.0.113.2|0|0||NAG||
TABLE_DUMP2|1763985600|B|203.0.113.1|64510|198.51.100.0/25|64510 64501|IGP|203.0.113.1|0|0||NAG||
TABLE_DUMP2|1763985600|B|203.0.113.2|64502|198.51.100.0/25||IGP|203.0.113.2|0|0||NAG||
TABLE_DUMP2|1763985600|B|2001:db8::1|64510|2001:db8::/32|64510 {64503,64504}|IGP|2001:db8::1|0|0||NAG||
"""


def bring(folder: Path, text: str | bytes, **options: Any) -> RoutingTable:
    path = folder / "table.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return import_routes([path], source="test", by=SYSTEM, now=NOON, **options)


def route_to(address: str) -> Route | None:
    table = routes()
    assert table is not None
    place = int(table.prefixes.find([address])[0])
    return None if place < 0 else table.route(place)


@pytest.mark.parametrize(
    "text",
    [PFX2AS, RIS, BGPDUMP, gzip.compress(RIS.encode()), PFX2AS.replace("\n", "\r\n")],
    ids=["pfx2as", "ris", "bgpdump", "gzip", "crlf"],
)
def test_each_format_says_the_same(tmp_path: Path, text: str | bytes) -> None:
    table = bring(tmp_path, text)

    assert (table.prefixes_v4, table.prefixes_v6, table.several_origins) == (2, 1, 2)
    assert route_to("192.0.2.200") == Route("192.0.2.0/24", (64500,))
    assert route_to("198.51.100.1") == Route("198.51.100.0/25", (64501, 64502))
    assert route_to("2001:db8::1") == Route("2001:db8::/32", (64503, 64504))
    assert route_to("198.51.100.128") is None
    assert route_to("203.0.113.1") is None


def test_what_hardly_anybody_sees_and_default_routes_are_left_out_and_counted(tmp_path: Path) -> None:
    assert bring(tmp_path, RIS).left_out == 2
    assert bring(tmp_path, RIS, least_seen=1).left_out == 1
    assert route_to("192.0.2.200") == Route("192.0.2.128/25", (64666,))


def test_a_new_table_takes_the_place_of_the_old_one_and_processes_notice(tmp_path: Path) -> None:
    old = bring(tmp_path, PFX2AS)
    assert route_to("192.0.2.1") == Route("192.0.2.0/24", (64500,))
    new = bring(tmp_path, PFX2AS.replace("64500", "64599"))

    assert route_to("192.0.2.1") == Route("192.0.2.0/24", (64599,))
    assert list(RoutingTable.objects.all()) == [new, old]
    assert set(RoutingPart.objects.values_list("table", flat=True)) == {new.pk}
    assert [event.data for event in Event.objects.filter(act="import").order_by("pk")] == [
        {"source": "test", "ipv4": 2, "ipv6": 1}
    ] * 2


def test_a_table_is_read_once_and_then_costs_one_small_question(tmp_path: Path) -> None:
    bring(tmp_path, PFX2AS)
    routes()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        routes()

    assert len(asked) == 1


def test_a_table_of_several_parts_is_put_together_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_PART_BYTES", 7)
    bring(tmp_path, PFX2AS)

    assert route_to("2001:db8::1") == Route("2001:db8::/32", (64503, 64504))
    assert RoutingPart.objects.count() > 11


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("192.0.2.0\t24", "three columns"),
        ("192.0.2.0\t24\tAS64500", "no AS number"),
        ("192.0.2.0\t24\t4294967296", "no AS number"),
        ("192.0.2.0\t24\t٦٤٥٠٠", "not plain text"),
        ("192.0.2.0\t24\t64500_", "no AS number"),
        ("192.0.2.1\t24\t64500", "bits set beyond"),
        ("192.0.2.0\t33\t64500", "length"),
        ("192.0.2.0\t-1\t64500", "length"),
        ("2001:db8::\t129\t64500", "length"),
        ("192.0.2\t24\t64500", "no prefix"),
        ("forum.example\t24\t64500", "no prefix"),
        ("192.0.2.0\t24\t64500\0", "not plain text"),
        ("x" * 70_000, "too long"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_changes(tmp_path: Path, line: str, why: str) -> None:
    bring(tmp_path, PFX2AS)
    with pytest.raises(BadFile) as refused:
        bring(tmp_path, f"{PFX2AS}{line}\n{PFX2AS}")

    assert refused.value.errors[0].startswith("table.txt, line 4: ")
    assert why in refused.value.errors[0]
    assert route_to("192.0.2.1") == Route("192.0.2.0/24", (64500,))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "no route"),
        (b"% only words\n", "no route"),
        (gzip.compress(RIS.encode())[:-20], "too early"),
        (b"\x1f\x8bnot gzip at all", "it cannot be read"),
        (b"BGP4MP|1763985600|A|203.0.113.1|64510|192.0.2.0/24|64510 64500|IGP\n", "bgpdump -m"),
        (bytes(range(256)), "not plain text"),
    ],
    ids=["empty", "comments", "cut off", "damaged", "updates", "binary"],
)
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: bytes, why: str) -> None:
    with pytest.raises(BadFile) as refused:
        bring(tmp_path, text)

    assert why in str(refused.value)
    assert not RoutingTable.objects.exists()


def test_many_wrong_lines_are_not_all_read(tmp_path: Path) -> None:
    with pytest.raises(BadFile) as refused:
        bring(tmp_path, "nonsense here too\n" * 1_000)

    assert len(refused.value.errors) < 30
    assert str(refused.value).endswith("... and 1 more.")


def test_half_a_table_or_one_family_only_is_refused_unless_somebody_insists(tmp_path: Path) -> None:
    bring(tmp_path, PFX2AS)
    only_four = PFX2AS.rsplit("\n", 2)[0] + "\n"
    with pytest.raises(TooSmall):
        bring(tmp_path, only_four)
    assert route_to("2001:db8::1") is not None

    bring(tmp_path, only_four, even_if_smaller=True)
    assert route_to("2001:db8::1") is None


def test_without_a_table_there_is_none(tmp_path: Path) -> None:
    assert routes() is None

    bring(tmp_path, PFX2AS)
    RoutingPart.objects.all().delete()
    assert routes() is None


def test_the_command_takes_the_files_of_both_families_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    four, six = tmp_path / "four.txt", tmp_path / "six.txt.gz"
    four.write_text("192.0.2.0\t24\t64500\n")
    six.write_bytes(gzip.compress(b"64503\t2001:db8::/32\t100\n"))
    call_command("import_routes", str(four), str(six))

    assert capsys.readouterr().out == (
        "routing table: 1 IPv4 and 1 IPv6 prefixes, 0 of more than one AS, 0 lines left out\n"
    )
    assert RoutingTable.objects.get().source == "four.txt, six.txt.gz"
    assert route_to("2001:db8::1") == Route("2001:db8::/32", (64503,))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_routes", str(tmp_path / "missing"))
