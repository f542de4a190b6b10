"""Providers and networks from files: all of it, or nothing and every wrong line by its number."""

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.models import Event
from providers.files import BadFile, import_networks, import_providers
from providers.models import Contact, Network, Provider
from tests.factories import NOON, SYSTEM, ContactFactory, NetworkFactory, ProviderFactory

HEADER = "code;name;kind;country;language;contact;channel;mode;website;kvk;signatory"
ALFA = "alfa;Alfa Hosting;hoster;NL;nl;abuse@alfa.example;smtp;portal;www.alfa.example;12345678;yes"
BETA = "beta;Beta;cdn_proxy;US;en;abuse@beta.example;webhook;api;;;no"
NETWORKS = "prefix;provider;asn;country;name"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file.csv"


def providers_from(file: Path, *lines: str) -> tuple[int, int]:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return import_providers(file, by=SYSTEM, now=NOON)


def networks_from(file: Path, *lines: str) -> tuple[int, int]:
    file.write_text("\n".join([NETWORKS, *lines]) + "\n", encoding="utf-8")
    return import_networks(file, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_a_file_adds_providers_with_their_approved_contacts_and_again_adds_nothing(file: Path) -> None:
    assert providers_from(file, HEADER, ALFA, BETA) == (2, 0)
    assert providers_from(file, HEADER, ALFA, BETA) == (0, 2)

    alfa = Provider.objects.get(code="alfa")
    assert (alfa.name, alfa.kind, alfa.language, alfa.kvk, alfa.signatory) == (
        "Alfa Hosting",
        "hoster",
        "nl",
        "12345678",
        True,
    )
    contact = Contact.objects.get(provider=alfa)
    assert (contact.address, contact.mode, contact.approved_at, contact.approved_by) == (
        "abuse@alfa.example",
        "portal",
        NOON,
        str(SYSTEM),
    )
    assert Contact.objects.count() == 2
    assert Event.objects.filter(act="approve").count() == 2


@pytest.mark.django_db
def test_a_file_may_say_what_is_attached_and_one_that_does_not_leaves_it(file: Path) -> None:
    attached = ALFA.replace(";portal;", ";attachment;")
    for formats in ("xarf", "both"):
        providers_from(file, f"{HEADER};formats", f"{attached};{formats}")
        assert Contact.objects.get().formats == formats

    providers_from(file, HEADER, attached)
    assert Contact.objects.get().formats == "both"
    providers_from(file, HEADER, ALFA)
    assert (Contact.objects.get().mode, Contact.objects.get().formats) == ("portal", "")
    providers_from(file, HEADER, attached)
    assert Contact.objects.get().formats == "csv"

    for mode, formats in (("portal", "xarf"), ("attachment", "pdf")):
        with pytest.raises(BadFile, match="column formats"):
            providers_from(file, f"{HEADER};formats", f"{ALFA.replace(';portal;', f';{mode};')};{formats}")


@pytest.mark.django_db
def test_columns_may_stand_in_any_order_and_a_byte_order_mark_is_allowed(file: Path) -> None:
    columns = HEADER.split(";")
    turned = dict(zip(columns, ALFA.split(";"), strict=True))
    order = sorted(columns)

    assert providers_from(file, "\ufeff" + ";".join(order), ";".join(turned[c] for c in order)) == (1, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("was", "is_", "column"),
    [
        ("alfa;", "Alfa!;", "code"),
        ("Alfa Hosting", "", "name"),
        ("Alfa Hosting", "x" * 201, "name"),
        ("Alfa Hosting", '"Alfa\nBcc: x"', "name"),
        ("Alfa Hosting", "Alfa\u2028Hosting", "name"),
        ("hoster", "castle", "kind"),
        (";NL;", ";nl;", "country"),
        (";nl;", ";de;", "language"),
        ("abuse@alfa.example", "abuse", "contact"),
        (";smtp;", ";pigeon;", "channel"),
        (";portal;", ";window;", "mode"),
        ("www.alfa.example", "http://alfa.example/", "website"),
        ("12345678", "123", "kvk"),
        (";yes", ";maybe", "signatory"),
    ],
)
def test_one_wrong_value_refuses_the_file_and_names_line_and_column(
    file: Path, was: str, is_: str, column: str
) -> None:
    with pytest.raises(BadFile, match=rf"line \d, column {column}: "):
        providers_from(file, HEADER, BETA, ALFA.replace(was, is_, 1))
    assert not Provider.objects.exists()


@pytest.mark.django_db
def test_every_wrong_line_is_named_and_a_long_list_is_cut(file: Path) -> None:
    wrong = [ALFA.replace("alfa;", f"alfa{i};").replace("hoster", "castle") for i in range(25)]

    with pytest.raises(BadFile) as refusal:
        providers_from(file, HEADER, *wrong)
    assert len(refusal.value.errors) == 25
    assert "line 2, column kind" in str(refusal.value)
    assert str(refusal.value).endswith("... and 5 more.")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a\x00b", "NUL"),
        (b"code;name\n", "columns must be"),
        (f"{HEADER};{'code'}\n".encode(), "columns must be"),
        (f"{HEADER}\nalfa;x\n".encode(), "2 values"),
        (f'{HEADER}\n"alfa;x\n'.encode(), "line"),
        (None, "cannot be read"),
    ],
    ids=["empty", "utf-16", "nul", "missing", "doubled", "short", "unclosed", "not there"],
)
def test_a_file_that_is_none_says_what_is_wrong(file: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(BadFile, match=says):
        import_providers(file, by=SYSTEM, now=NOON)


@pytest.mark.django_db
def test_networks_go_to_their_providers(file: Path) -> None:
    alfa = ProviderFactory()
    lines = ("192.0.2.0/24;alfa;64500;NL;ALFA-1", "2001:db8::/32;alfa;4294967295;NL;ALFA-6")

    assert networks_from(file, *lines) == (2, 0)
    assert networks_from(file, *lines) == (0, 2)
    assert {str(network.prefix) for network in Network.objects.filter(provider=alfa)} == {
        "192.0.2.0/24",
        "2001:db8::/32",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("192.0.2.1/24;alfa;64500;NL;X", "prefix"),
        ("somewhere;alfa;64500;NL;X", "prefix"),
        ("192.0.2.0/24;nobody;64500;NL;X", "provider"),
        ("192.0.2.0/24;alfa;-1;NL;X", "asn"),
        ("192.0.2.0/24;alfa;4294967296;NL;X", "asn"),
        ("192.0.2.0/24;alfa;١٢;NL;X", "asn"),
        ("192.0.2.0/24;alfa;64500;Holland;X", "country"),
        ("192.0.2.0/24;alfa;64500;NL;", "name"),
    ],
)
def test_a_wrong_network_is_named(file: Path, line: str, column: str) -> None:
    ProviderFactory()

    with pytest.raises(BadFile, match=f"line 2, column {column}: "):
        networks_from(file, line)
    assert not Network.objects.exists()


@pytest.mark.django_db
def test_the_commands_say_what_they_did_or_why_not(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f"{HEADER}\n{ALFA}\n", encoding="utf-8")
    call_command("import_providers", str(file))
    file.write_text(f"{NETWORKS}\n192.0.2.0/24;alfa;64500;NL;ALFA-1\n", encoding="utf-8")
    call_command("import_networks", str(file))

    assert capsys.readouterr().out.splitlines() == [
        "providers: 1 added, 0 updated",
        "networks: 1 added, 0 updated",
    ]
    with pytest.raises(CommandError, match="columns must be"):
        call_command("import_providers", str(file))


@pytest.mark.django_db
def test_what_is_exported_comes_back_as_it_was(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    providers_from(file, HEADER, ALFA.replace("Alfa Hosting", '"Alfa; ""the"" host"'), BETA)
    networks_from(file, "2001:db8::/32;beta;64501;US;BETA", "192.0.2.0/24;alfa;64500;NL;ALFA")
    ContactFactory(provider=Provider.objects.get(code="beta"), address="new@beta.example")
    ContactFactory(provider=ProviderFactory(code="gamma"))

    def out_and_in() -> list[str]:
        files = []
        for what in ("providers", "networks"):
            call_command(f"export_{what}")
            files.append(capsys.readouterr().out)
        return files

    providers, networks = out_and_in()
    assert networks == (
        "prefix;provider;asn;country;name\r\n192.0.2.0/24;alfa;64500;NL;ALFA\r\n2001:db8::/32;beta;64501;US;BETA\r\n"
    )
    assert "new@beta.example" not in providers  # nobody has approved it, and bringing a file would
    assert "gamma" not in providers
    assert Event.objects.filter(act="export").count() == 2

    Network.objects.all().delete()
    Contact.objects.all().delete()
    Provider.objects.all().delete()
    file.write_text(providers, encoding="utf-8", newline="")
    assert import_providers(file, by=SYSTEM, now=NOON) == (2, 0)
    file.write_text(networks, encoding="utf-8", newline="")
    assert import_networks(file, by=SYSTEM, now=NOON) == (2, 0)
    assert Provider.objects.get(code="alfa").name == 'Alfa; "the" host'
    assert out_and_in() == [providers, networks]


@pytest.mark.django_db
def test_what_a_spreadsheet_would_run_is_neutral_in_an_export_and_itself_again_afterwards(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ["=1+1", "＋31", "@sum", "-2", "'=kept", "'tis Hosting"]
    for number, name in enumerate(names):
        provider = ProviderFactory(code=f"p{number}", name=name)
        ContactFactory(provider=provider, approved=True)
        NetworkFactory(provider=provider, prefix=f"192.0.2.{number * 8}/29", name=name)

    call_command("export_providers")
    providers = capsys.readouterr().out
    call_command("export_networks")
    networks = capsys.readouterr().out
    Provider.objects.update(name="")
    Network.objects.update(name="")
    for text, read_back in ((providers, import_providers), (networks, import_networks)):
        assert ";=" not in text
        assert ";＋" not in text
        assert ";'=1+1" in text
        file.write_text(text, encoding="utf-8")
        read_back(file, by=SYSTEM, now=NOON)

    assert list(Provider.objects.order_by("code").values_list("name", flat=True)) == names
    assert list(Network.objects.order_by("prefix").values_list("name", flat=True)) == names


@pytest.mark.django_db
def test_a_file_may_say_who_uses_the_hash_service_and_how_much_fits_and_leaves_it_when_it_does_not(
    file: Path,
) -> None:
    wide = f"{HEADER};hash_user;most_lines"
    providers_from(file, wide, f"{ALFA};yes;250")
    providers_from(file, HEADER, ALFA)
    alfa = Provider.objects.get()
    assert (alfa.hash_user, alfa.most_lines) == (True, 250)

    providers_from(file, wide, f"{ALFA};no;")
    alfa = Provider.objects.get()
    assert (alfa.hash_user, alfa.most_lines) == (False, None)
    for most in ("0", "-1", "10000", "many"):
        with pytest.raises(BadFile, match="line 2, column most_lines"):
            providers_from(file, wide, f"{ALFA};no;{most}")
