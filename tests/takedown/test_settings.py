"""A missing or wrong setting stops the start with one line, and never shows its value."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from takedown import env

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2-a-value-that-must-not-be-shown"
#: The least that a host must say.
ENOUGH = {
    "BASE_URL": "https://takedown.example.org",
    "SECRET_KEY": "s" * 50,
    "DATABASE_URL": "postgres://takedown:hunter2@db.example.org:5432/takedown",
    "REDIS_URL": "redis://broker.example.org:6379/0",
    "ENCRYPTION_KEYS": '{"aead": {}, "index": ""}',
    "RECEIPT_KEYS": '{"keys": []}',
    "EMAIL_URL": "smtp+tls://us:hunter2@relay.example.org:587",
    "SENDER_ADDRESS": "meldpunt@hotline.example",
    "ORGANISATION": "Meldpunt | Postbus 1 | +31 20 000 00 00",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nothing but what a host must say."""
    for name in list(os.environ):
        if name.removesuffix("_FILE") in {
            *ENOUGH,
            *WRONG,
            "ALLOWED_HOSTS",
            "STATIC_ROOT",
            "RESOLVER",
            "DEMO",
            "FETCH_ALSO",
        }:
            monkeypatch.delenv(name)
    for name, value in ENOUGH.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


WRONG = {
    "BASE_URL": [
        SECRET,
        f"ftp://{SECRET}",
        f"https://takedown.example.org/{SECRET}",
        "https://x:port-hunter2/",
    ],
    "SECRET_KEY": [SECRET],
    "DATABASE_URL": [
        f"sqlite:///{SECRET}",
        f"mysql://u:{SECRET}@h/d",
        SECRET,
        f"postgres://u:{SECRET}@h/",
        f"postgres://u:{SECRET}@h:hunter2/d",
    ],
    "REDIS_URL": [SECRET, f"http://{SECRET}/", f"redis://:{SECRET}@h:hunter2/0"],
    "EMAIL_URL": [
        SECRET,
        f"http://{SECRET}",
        "smtp://",
        "smtp://relay.example:hunter2",
        "smtp://r.example:99999",
    ],
    "MAILBOX_URL": [
        SECRET,
        f"imaps://{SECRET}",
        f"imap://u:{SECRET}@mail.example.org/INBOX",
        f"imaps://u:{SECRET}@mail.example.org:hunter2/INBOX",
        f"pop3://u:{SECRET}@mail.example.org/",
    ],
    "MAILBOX_AUTHSERV_ID": [f"mx {SECRET}", f"mx;{SECRET}"],
    "REPLIES_URL": [SECRET, f"imap://u:{SECRET}@mail.example.org/INBOX"],
    "REPLIES_AUTHSERV_ID": [f"mx {SECRET}"],
    "SENDER_ADDRESS": [SECRET, f"a@b.example\r\nBcc: {SECRET}@x.example", f"{SECRET}@"],
    "SENDER_NAME": [f"Meldpunt\r\nBcc: {SECRET}"],
    "ORGANISATION": [SECRET, f"{SECRET} | place", f"{SECRET} | | phone", f"a | b\nc {SECRET} | d"],
    "DEBUG": [SECRET, "on-hunter2"],
    "RELAY_IS_FINAL_HOP": [SECRET],
    "DRY_RUN_ADDRESS": [SECRET],
    "TRUSTED_PROXIES": [SECRET, "-1", "1.5", "١"],
    "SWEEP_EVERY_S": [SECRET, "-1", "nan", "1e99"],
    "GROUPING_WINDOW_S": [SECRET, "-1", "inf"],
    "CHECK_STAGES_H": [SECRET, "72", "72:0", "336:4 72:1", f"72:{SECRET}"],
    "WATCH_AFTER_REMOVAL_H": [SECRET, "72 24", "0 24"],
    "SEND_PER_CONTACT": [SECRET, "60", "60/0", "-1/60", f"60/{SECRET}"],
    "SEND_PER_HOST": [SECRET, "1/nan"],
    "SEND_AT_ONCE": [SECRET, "0"],
    "LINES_PER_MESSAGE": [SECRET, "0", "1.5"],
    "MESSAGE_MAX_MB": [SECRET, "0"],
    "APPROVE_ABOVE_LINES": [SECRET, "0"],
    "JUDGE_WITHIN_S": [SECRET, "-1", "nan"],
    "ORIGIN_WITHIN_S": [SECRET, "-1", "nan"],
    "ORIGIN_MAX_AGE_S": [SECRET, "-1", "nan"],
    "BREAK_FROM_S": [SECRET],
    "BREAK_HINT_AFTER_S": [SECRET],
    "WORK_PER_DAY_S": [SECRET, "inf"],
    "REMOVAL_SIGHTINGS": [SECRET, "0.5"],
    "REPORTER_KEPT_DAYS": [SECRET, "-1", "1e3", "9999999"],
    "REMOVAL_GAP_S": [SECRET],
    "DEMO": [SECRET],
    "SECOND_FACTOR": [SECRET, "yes"],
    "IDLE_STAFF_S": [SECRET],
    "IDLE_PORTAL_S": [SECRET],
    "SESSION_LONGEST_S": [SECRET],
    "INVITATION_VALID_S": [SECRET],
    "STEP_UP_S": [SECRET, "-1"],
}


def test_what_a_host_must_say_is_enough(environment: pytest.MonkeyPatch) -> None:
    loaded = env.load()

    assert loaded.allowed_hosts == ["takedown.example.org"]
    assert loaded.mail == env.Mail("relay.example.org", 587, "us", "hunter2", "starttls")
    assert loaded.database["NAME"] == "takedown"
    assert not loaded.relay_is_final_hop
    assert (loaded.removal_run, loaded.grouping_window.total_seconds()) == (3, 600)


@pytest.mark.parametrize("name", ENOUGH)
@pytest.mark.parametrize("as_", ["missing", "empty"])
def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, name: str, as_: str) -> None:
    if as_ == "missing":
        environment.delenv(name)
    else:
        environment.setenv(name, "")

    with pytest.raises(env.Misconfigured, match=f"^{name} is not set") as problem:
        env.load()
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(env.Misconfigured, match=f"^{name} cannot be used") as problem:
        env.load()
    assert "hunter2" not in str(problem.value)
    assert "\n" not in str(problem.value)


def test_a_page_about_a_fault_may_show_the_settings(environment: pytest.MonkeyPatch) -> None:
    shown = repr(env.load())

    assert "takedown.example.org" in shown
    for secret in ("hunter2", "s" * 50, "redis://", "aead"):
        assert secret not in shown


def test_a_secret_may_stand_in_a_file(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("f" * 60 + "\n", encoding="utf-8")
    environment.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))

    assert env.load().secret_key == "f" * 60


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["not there", "not text"])
def test_a_secrets_file_that_cannot_be_read_is_named(
    environment: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    environment.setenv("SECRET_KEY_FILE", str(path))

    with pytest.raises(env.Misconfigured, match=r"^SECRET_KEY_FILE names a file that cannot be read"):
        env.load()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SECRET_KEY", SECRET, "SECRET_KEY cannot be used"),
        ("DATABASE_URL", "sqlite:///x", "DATABASE_URL cannot be used: Takedown runs on PostgreSQL only."),
        ("ENCRYPTION_KEYS", "{}", "ENCRYPTION_KEYS cannot be used"),
        ("ENCRYPTION_KEYS", "", "ENCRYPTION_KEYS is not set"),
        ("RECEIPT_KEYS", "", "RECEIPT_KEYS is not set"),
    ],
)
def test_a_process_with_a_wrong_setting_ends_with_one_line_and_status_1(
    environment: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env=os.environ | {name: value},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"takedown: {says}")
    assert SECRET not in done.stderr
    assert done.stdout == ""


def test_a_mailbox_may_be_named_and_needs_the_name_of_our_mail_server(
    environment: pytest.MonkeyPatch,
) -> None:
    assert env.load().mailbox is None

    environment.setenv("MAILBOX_URL", "imaps://reports%40hotline.example:p%2Fw@mail.example.org/Partners")
    with pytest.raises(env.Misconfigured, match=r"^MAILBOX_AUTHSERV_ID is not set"):
        env.load()

    environment.setenv("MAILBOX_AUTHSERV_ID", "MX.hotline.example")
    loaded = env.load()
    assert loaded.mailbox == env.Mailbox(
        "mail.example.org", 993, "reports@hotline.example", "p/w", "tls", "Partners"
    )
    assert loaded.mailbox_authserv_id == "mx.hotline.example"
    assert "p/w" not in repr(loaded)


def test_what_comes_back_has_a_mailbox_of_its_own_and_perhaps_a_server_of_its_own(
    environment: pytest.MonkeyPatch,
) -> None:
    assert env.load().replies is None
    environment.setenv("REPLIES_URL", "imaps://us:pw@mail.example.org/Replies")
    with pytest.raises(env.Misconfigured, match=r"^REPLIES_AUTHSERV_ID is not set"):
        env.load()
    environment.setenv("MAILBOX_AUTHSERV_ID", "mx.hotline.example")
    assert env.load().replies_authserv_id == "mx.hotline.example"
    environment.setenv("REPLIES_AUTHSERV_ID", "mx2.hotline.example")
    assert env.load().replies_authserv_id == "mx2.hotline.example"

    environment.setenv("MAILBOX_URL", "imaps://us:pw@mail.example.org/Replies")
    with pytest.raises(env.Misconfigured, match="the same folder"):
        env.load()


def test_the_password_of_a_mailbox_may_stand_in_a_file(
    environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "mailbox").write_text("imap+tls://us:hunter2@mail.example.org\n", encoding="utf-8")
    environment.setenv("MAILBOX_URL_FILE", str(tmp_path / "mailbox"))
    environment.setenv("MAILBOX_AUTHSERV_ID", "mx.hotline.example")

    loaded = env.load().mailbox

    assert loaded is not None
    assert (loaded.port, loaded.tls, loaded.folder, loaded.password) == (143, "starttls", "INBOX", "hunter2")


def test_a_file_for_the_resolver_is_not_the_switch_of_the_resolver(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("RESOLVER_FILE", "/nowhere/hosts.csv")

    loaded = env.load()

    assert (loaded.resolver, loaded.resolver_file) == (True, "/nowhere/hosts.csv")


def test_only_a_demo_world_may_let_requests_go_out_to_this_machine(environment: pytest.MonkeyPatch) -> None:
    assert env.load().fetch_also == frozenset()
    environment.setenv("FETCH_ALSO", "127.0.0.1:8081 localhost:8082 [::1]:8083")
    with pytest.raises(env.Misconfigured, match=r"^FETCH_ALSO is only for a demo world"):
        env.load()

    environment.setenv("DEMO", "yes")
    assert env.load().fetch_also == {("127.0.0.1", 8081), ("localhost", 8082), ("[::1]", 8083)}
    for peer in ("10.0.0.1:80", "hooks.example.org:443", "127.0.0.1", "127.0.0.1:0", "localhost:http"):
        environment.setenv("FETCH_ALSO", peer)
        with pytest.raises(env.Misconfigured, match=r"^FETCH_ALSO cannot be used"):
            env.load()


def test_every_setting_is_told_to_who_runs_it() -> None:
    names = set(re.findall(r'_read\(\s*"([A-Z_]+)"', (ROOT / "takedown/env.py").read_text(encoding="utf-8")))
    told = (ROOT / "docs/operations.md").read_text(encoding="utf-8")

    assert len(names) > 30
    assert {name for name in names if f"`{name}`" not in told} == set()


def test_a_web_server_has_everything_loaded_and_settled_before_the_first_request() -> None:
    program = "import sys, gc, takedown.wsgi; print('portal.views.notices' in sys.modules, gc.get_freeze_count() > 100_000)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True"]
