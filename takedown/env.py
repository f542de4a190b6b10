"""What differs per host: read once from the environment, checked before anything starts.

A wrong or missing value stops the start with one clear line on stderr and exit status 1. Any secret may
be given as `NAME_FILE`, the path of a file that holds it.
"""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import environ

T = TypeVar("T")


class Misconfigured(Exception):
    """A setting is missing or cannot be understood; the text names it and never shows its value."""


#: No secrets: NAME_FILE beside them is a setting of its own.
_NO_FILE = frozenset({"RESOLVER"})


def _raw(name: str) -> str | None:
    path = None if name in _NO_FILE else os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Misconfigured(f"{name}_FILE names a file that cannot be read: {error.strerror}.") from error
        except UnicodeError as error:
            raise Misconfigured(f"{name}_FILE names a file that cannot be read: it is not UTF-8.") from error
    return os.environ.get(name)


def _read(name: str, parse: Callable[[str], T], default: T | None = None, *, hint: str = "") -> T:
    raw = _raw(name)
    if raw is None or raw == "":
        if default is not None:
            return default
        raise Misconfigured(f"{name} is not set. {hint}".strip())
    try:
        return parse(raw)
    except (ValueError, KeyError) as error:
        raise Misconfigured(f"{name} cannot be used: {error} {hint}".strip()) from error


def _yes_or_no(raw: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if raw.strip().lower() not in words:
        raise ValueError("say yes or no.")
    return words[raw.strip().lower()]


def _on_or_off(raw: str) -> bool:
    words = {"on": True, "off": False}
    if raw.strip().lower() not in words:
        raise ValueError("say on or off.")
    return words[raw.strip().lower()]


def _required_or_waived(raw: str) -> bool:
    words = {"required": True, "waived": False}
    if raw.strip().lower() not in words:
        raise ValueError("say required or waived.")
    return words[raw.strip().lower()]


def _seconds(raw: str) -> timedelta:
    try:
        value = float(raw)
    except ValueError:
        raise ValueError("it must be a number of seconds.") from None
    if not 0 <= value < 10**9:
        raise ValueError("it must be a number of seconds of 0 or more.")
    return timedelta(seconds=value)


def _days(raw: str) -> timedelta:
    days = _whole(raw)
    if not days < 10**5:
        raise ValueError("it must be a number of days.")
    return timedelta(days=days)


def _stages(raw: str) -> tuple[tuple[timedelta, int], ...]:
    """Of "72:1 336:4": up to an age of 72 hours each time, up to 336 hours every fourth."""
    stages = [part.partition(":") for part in raw.split()]
    ages = _hours_rising(" ".join(age for age, _, _ in stages))
    if not ages:
        raise ValueError("it must name at least one stage, like 72:1.")
    return tuple(zip(ages, (_positive(every) for _, _, every in stages), strict=True))


def _hours_rising(raw: str) -> tuple[timedelta, ...]:
    hours = [_positive(part) for part in raw.split()]
    if any(later <= earlier for earlier, later in pairwise(hours)):
        raise ValueError("its hours must rise.")
    return tuple(timedelta(hours=number) for number in hours)


def _whole(raw: str) -> int:
    if not raw.isascii() or not raw.isdigit():
        raise ValueError("it must be a whole number.")
    return int(raw)


def _positive(raw: str) -> int:
    value = _whole(raw)
    if not 0 < value < 10**6:
        raise ValueError("it must be a whole number of 1 or more.")
    return value


def _percent(raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        raise ValueError("it must be a number from 0 to 100.") from None
    if not 0 <= value <= 100:
        raise ValueError("it must be a number from 0 to 100.")
    return value


def _port(raw: str) -> int | None:
    """The port of a URL. The library's own complaint would show a part of the value."""
    try:
        return urlsplit(raw).port
    except ValueError:
        raise ValueError("its port is not a number from 0 to 65535.") from None


def _one_line(raw: str) -> str:
    if not raw.isprintable():
        raise ValueError("it must be one line of text.")
    return raw.strip()


def _database(raw: str) -> dict[str, Any]:
    if not raw.startswith(("postgres://", "postgresql://")):
        raise ValueError("Takedown runs on PostgreSQL only.")
    _port(raw)
    config: dict[str, Any] = environ.Env.db_url_config(raw)
    if not config.get("NAME"):
        raise ValueError("it names no database.")
    return config


def _secret_key(raw: str) -> str:
    if len(raw) < 50:
        raise ValueError("it must be at least 50 characters long.")
    return raw


def _redis(raw: str) -> str:
    if urlsplit(raw).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("it must start with redis://, rediss:// or unix://.")
    _port(raw)
    return raw


@dataclass(frozen=True)
class Mail:
    """Where our own relay is. `tls` is "", "starttls" or "tls"."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: str


def _mail(raw: str) -> Mail:
    parts = urlsplit(raw)
    tls = {"smtp": "", "smtp+tls": "starttls", "smtps": "tls"}.get(parts.scheme)
    if tls is None or not parts.hostname:
        raise ValueError("it must look like smtp://user:pass@host:port (or smtp+tls://, smtps://).")
    return Mail(
        host=parts.hostname,
        port=_port(raw) or {"": 25, "starttls": 587, "tls": 465}[tls],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=tls,
    )


@dataclass(frozen=True)
class Mailbox:
    """Where mail arrives. `tls` is "", "starttls" or "tls"; plain only on this very machine."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    tls: str
    folder: str


def _mailbox(raw: str) -> Mailbox:
    parts = urlsplit(raw)
    tls = {"imap": "", "imap+tls": "starttls", "imaps": "tls"}.get(parts.scheme)
    if tls is None or not parts.hostname or not parts.username:
        raise ValueError("it must look like imaps://user:pass@host:port/INBOX (or imap+tls://).")
    if not tls and parts.hostname not in {"127.0.0.1", "::1", "localhost"}:
        raise ValueError("imap:// would send the password in clear: use imaps:// or imap+tls://.")
    return Mailbox(
        host=parts.hostname,
        port=_port(raw) or {"": 143, "starttls": 143, "tls": 993}[tls],
        user=unquote(parts.username),
        password=unquote(parts.password or ""),
        tls=tls,
        folder=unquote(parts.path.strip("/")) or "INBOX",
    )


def _server_name(raw: str) -> str:
    name = _one_line(raw).lower()
    if not name or any(character in name for character in ' ;="'):
        raise ValueError("it must be one name, such as mx.example.org.")
    return name


def _base_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise ValueError("it must look like https://takedown.example.org, without a path.")
    _port(raw)
    return raw.rstrip("/")


def _address(raw: str) -> str:
    if "\n" in raw or "\r" in raw or "@" not in parseaddr(raw)[1]:
        raise ValueError("it must be a mail address.")
    return raw.strip()


#: What FETCH_ALSO may name, so that nothing but this very machine can ever be let in by it.
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


def _peers(raw: str) -> frozenset[tuple[str, int]]:
    peers = set()
    for peer in raw.split():
        host, _, port = peer.rpartition(":")
        if host not in _LOOPBACK or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
            raise ValueError("name peers on this machine, such as 127.0.0.1:8081 localhost:8082.")
        peers.add((host, int(port)))
    return frozenset(peers)


def _rdap(raw: str) -> str:
    """ "" when no registry is asked, "on" when all are, else the base URL of the one server for everything."""
    if raw.strip().lower() in {"on", "off"}:
        return raw.strip().lower().removesuffix("off")
    parts = urlsplit(raw.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("say on, off, or the address of a server such as https://rdap.example.org/.")
    _port(raw)
    return raw.strip().rstrip("/") + "/"


@dataclass(frozen=True)
class Organisation:
    """Who sends: printed in every notice."""

    name: str
    postal_address: str
    phone: str


def _organisation(raw: str) -> Organisation:
    parts = [part.strip() for part in _one_line(raw).split("|")]
    if len(parts) != 3 or not all(parts):
        raise ValueError("write it as: name | postal address | phone.")
    return Organisation(*parts)


@dataclass(frozen=True)
class Rate:
    """So many in so long; `count` 0 is no limit."""

    count: int
    per: timedelta


def _rate(raw: str) -> Rate:
    count, slash, seconds = raw.partition("/")
    if not slash:
        raise ValueError("write it as 60/60: so many in so many seconds.")
    rate = Rate(_whole(count.strip()), _seconds(seconds))
    if not rate.per:
        raise ValueError("the time must be longer than nothing.")
    return rate


@dataclass(frozen=True)
class Environment:
    """Every setting that a host decides. Durations are timedeltas; (P) marks a proposal of the requirements.

    What is secret is not part of the representation, which a page about a fault may show.
    """

    debug: bool
    secret_key: str = field(repr=False)
    allowed_hosts: list[str]
    base_url: str
    database: dict[str, Any] = field(repr=False)
    redis_url: str = field(repr=False)
    encryption_keys: str = field(repr=False)
    receipt_keys: str = field(repr=False)
    mail: Mail
    mailbox: Mailbox | None
    mailbox_authserv_id: str
    replies: Mailbox | None
    replies_authserv_id: str
    sender_name: str
    sender_address: str
    organisation: Organisation
    relay_is_final_hop: bool
    dry_run_address: str
    trusted_proxies: int
    static_root: Path
    resolver: bool  # False: no name server is asked
    resolver_file: str
    rdap: str  # "" for off, "on" for the registries themselves, or the base URL of a server for everything
    demo: bool
    fetch_also: frozenset[tuple[str, int]]  # peers on loopback; only where there is a demo world
    second_factor: bool  # False: a password alone opens; only in a demo world, or for developers
    idle_staff: timedelta  # P 15 min
    idle_portal: timedelta  # P 30 min
    session_longest: timedelta  # P 12 h
    step_up: timedelta  # P 10 min
    invitation_valid: timedelta  # P 7 days
    link_valid: timedelta  # P 14 days: the page of a message, by the link in it
    key_valid: timedelta  # P 1 year, at most
    key_overlap: timedelta  # P 14 days: a key beside the one that takes its place
    confirm_after: timedelta  # P 2 min: answers by one link are confirmed together
    sweep_every: timedelta
    grouping_window: timedelta  # P 10 min
    send_per_contact: Rate  # P 60 messages in a minute
    send_per_host: Rate  # P 120 messages in a minute
    send_at_once: int  # P 8 hand-overs
    lines_per_message: int  # P 500
    message_max_mb: int  # P 10
    approve_above_lines: int  # P 250
    origin_within: timedelta  # P 24 h: until a CDN has told us the server behind it
    origin_max_age: timedelta  # P 30 days: so long its answer is trusted
    judge_within: timedelta  # P 24 h
    accept_within: timedelta  # P 2 h
    step_patience: timedelta  # P 2 h
    sooner_terms: int  # P 3 terms that ended
    sooner_within: timedelta  # P 30 days
    second_sample_percent: float  # P 10
    second_national_within: timedelta  # P 2 h
    second_working_days: int  # P 1
    break_from: timedelta  # P 10 min
    hint_after: timedelta  # P 45 min
    work_per_day: timedelta  # P 4 h
    attribution_max_age: timedelta  # P 12 h
    removal_run: int  # P 3 sightings
    removal_gap: timedelta  # P 3 min
    removal_span: timedelta  # P 10 min
    check_every: timedelta  # P 1 h
    check_stages: tuple[
        tuple[timedelta, int], ...
    ]  # P until 72 h each time, 14 days every 4th, 90 days every 24th
    check_before_due: timedelta  # P 30 min
    watch_after_removal: tuple[timedelta, ...]  # P 1, 3, 7, 30 days
    check_lease: timedelta
    claim_person_within: timedelta  # P 4 h: then somebody looks at a claim that no check could answer
    sighting_max_age: timedelta  # P 4 h
    follow_silence: timedelta  # P 48 h
    follow_delay: timedelta  # P 24 h
    reporter_kept: timedelta  # P 30 days
    refused_line_kept: timedelta  # P 30 days


def load() -> Environment:
    """Read and check every setting. Raises Misconfigured at the first that is missing or wrong."""
    text = str.strip
    base_url = _read(
        "BASE_URL", _base_url, hint="It is the address people use, e.g. https://takedown.example.org."
    )
    mailbox = _read("MAILBOX_URL", _mailbox) if _raw("MAILBOX_URL") else None
    demo = _read("DEMO", _yes_or_no, False)
    if _raw("FETCH_ALSO") and not demo:
        raise Misconfigured(
            "FETCH_ALSO is only for a demo world: it lets requests go out to this very machine."
        )
    replies = _read("REPLIES_URL", _mailbox) if _raw("REPLIES_URL") else None
    if replies is not None and replies == mailbox:
        raise Misconfigured("REPLIES_URL and MAILBOX_URL name the same folder: each reader needs its own.")
    # Without it no mail could ever prove where it comes from.
    authserv_id = _read(
        "MAILBOX_AUTHSERV_ID",
        _server_name,
        None if mailbox else "",
        hint="It is the name by which our mail server signs Authentication-Results.",
    )
    debug = _read("DEBUG", _yes_or_no, False)
    second_factor = _read("SECOND_FACTOR", _required_or_waived, True)
    if not second_factor and not (demo or debug):
        raise Misconfigured("SECOND_FACTOR=waived is only for a demo world and for developers.")
    return Environment(
        debug=debug,
        secret_key=_read("SECRET_KEY", _secret_key, hint="Make one with: python -m vault secret."),
        allowed_hosts=_read(
            "ALLOWED_HOSTS",
            lambda raw: [host.strip() for host in raw.split(",")],
            [urlsplit(base_url).hostname or ""],
        ),
        base_url=base_url,
        database=_read(
            "DATABASE_URL", _database, hint="Write it as postgres://user:password@host:port/name."
        ),
        redis_url=_read("REDIS_URL", _redis, hint="Write it as redis://host:port/0."),
        encryption_keys=_read("ENCRYPTION_KEYS", text, hint="Make them with: python -m vault new."),
        receipt_keys=_read("RECEIPT_KEYS", text, hint="Make them with: python -m vault receipts."),
        mail=_read("EMAIL_URL", _mail, hint="Our own mail relay."),
        mailbox=mailbox,
        mailbox_authserv_id=authserv_id,
        replies=replies,
        replies_authserv_id=_read(
            "REPLIES_AUTHSERV_ID",
            _server_name,
            authserv_id or (None if replies else ""),
            hint="It is the name by which our mail server signs Authentication-Results.",
        ),
        sender_name=_read("SENDER_NAME", _one_line, "Meldpunt Kinderporno"),
        sender_address=_read("SENDER_ADDRESS", _address, hint="Notices are sent from it."),
        organisation=_read("ORGANISATION", _organisation, hint="It is printed in every notice."),
        relay_is_final_hop=_read("RELAY_IS_FINAL_HOP", _yes_or_no, False),
        dry_run_address=_read("DRY_RUN_ADDRESS", _address, ""),
        trusted_proxies=_read("TRUSTED_PROXIES", _whole, 0),
        static_root=_read("STATIC_ROOT", Path, Path("var/static")),
        resolver=_read("RESOLVER", _on_or_off, True),
        resolver_file=_read("RESOLVER_FILE", text, ""),
        rdap=_read("RDAP", _rdap, "on"),
        demo=demo,
        fetch_also=_read("FETCH_ALSO", _peers, frozenset()),
        second_factor=second_factor,
        idle_staff=_read("IDLE_STAFF_S", _seconds, timedelta(minutes=15)),
        idle_portal=_read("IDLE_PORTAL_S", _seconds, timedelta(minutes=30)),
        session_longest=_read("SESSION_LONGEST_S", _seconds, timedelta(hours=12)),
        step_up=_read("STEP_UP_S", _seconds, timedelta(minutes=10)),
        invitation_valid=_read("INVITATION_VALID_S", _seconds, timedelta(days=7)),
        link_valid=_read("LINK_VALID_DAYS", _days, timedelta(days=14)),
        key_valid=_read("KEY_VALID_DAYS", _days, timedelta(days=365)),
        key_overlap=_read("KEY_OVERLAP_DAYS", _days, timedelta(days=14)),
        confirm_after=_read("CONFIRM_AFTER_S", _seconds, timedelta(minutes=2)),
        sweep_every=_read("SWEEP_EVERY_S", _seconds, timedelta(seconds=15)),
        grouping_window=_read("GROUPING_WINDOW_S", _seconds, timedelta(minutes=10)),
        send_per_contact=_read("SEND_PER_CONTACT", _rate, Rate(60, timedelta(minutes=1))),
        send_per_host=_read("SEND_PER_HOST", _rate, Rate(120, timedelta(minutes=1))),
        send_at_once=_read("SEND_AT_ONCE", _positive, 8),
        lines_per_message=_read("LINES_PER_MESSAGE", _positive, 500),
        message_max_mb=_read("MESSAGE_MAX_MB", _positive, 10),
        approve_above_lines=_read("APPROVE_ABOVE_LINES", _positive, 250),
        origin_within=_read("ORIGIN_WITHIN_S", _seconds, timedelta(hours=24)),
        origin_max_age=_read("ORIGIN_MAX_AGE_S", _seconds, timedelta(days=30)),
        judge_within=_read("JUDGE_WITHIN_S", _seconds, timedelta(hours=24)),
        accept_within=_read("ACCEPT_WITHIN_S", _seconds, timedelta(hours=2)),
        step_patience=_read("STEP_PATIENCE_S", _seconds, timedelta(hours=2)),
        sooner_terms=_read("SOONER_TERMS", _whole, 3),
        sooner_within=_read("SOONER_WITHIN_DAYS", _days, timedelta(days=30)),
        second_sample_percent=_read("SECOND_SAMPLE_PERCENT", _percent, 10.0),
        second_national_within=_read("SECOND_NATIONAL_WITHIN_S", _seconds, timedelta(hours=2)),
        second_working_days=_read("SECOND_WORKING_DAYS", _whole, 1),
        break_from=_read("BREAK_FROM_S", _seconds, timedelta(minutes=10)),
        hint_after=_read("BREAK_HINT_AFTER_S", _seconds, timedelta(minutes=45)),
        work_per_day=_read("WORK_PER_DAY_S", _seconds, timedelta(hours=4)),
        attribution_max_age=_read("ATTRIBUTION_MAX_AGE_S", _seconds, timedelta(hours=12)),
        removal_run=_read("REMOVAL_SIGHTINGS", _whole, 3),
        removal_gap=_read("REMOVAL_GAP_S", _seconds, timedelta(minutes=3)),
        removal_span=_read("REMOVAL_SPAN_S", _seconds, timedelta(minutes=10)),
        check_every=_read("CHECK_EVERY_S", _seconds, timedelta(hours=1)),
        check_stages=_read("CHECK_STAGES_H", _stages, _stages("72:1 336:4 2160:24")),
        check_before_due=_read("CHECK_BEFORE_DUE_S", _seconds, timedelta(minutes=30)),
        watch_after_removal=_read("WATCH_AFTER_REMOVAL_H", _hours_rising, _hours_rising("24 72 168 720")),
        check_lease=_read("CHECK_LEASE_S", _seconds, timedelta(minutes=5)),
        claim_person_within=_read("CLAIM_PERSON_WITHIN_S", _seconds, timedelta(hours=4)),
        sighting_max_age=_read("SIGHTING_MAX_AGE_S", _seconds, timedelta(hours=4)),
        follow_silence=_read("FOLLOW_SILENCE_S", _seconds, timedelta(hours=48)),
        follow_delay=_read("FOLLOW_DELAY_S", _seconds, timedelta(hours=24)),
        reporter_kept=_read("REPORTER_KEPT_DAYS", _days, timedelta(days=30)),
        refused_line_kept=_read("REFUSED_LINE_KEPT_DAYS", _days, timedelta(days=30)),
    )


def load_or_exit() -> Environment:
    """`load`, but a wrong setting ends the process with one line and exit status 1."""
    try:
        return load()
    except Misconfigured as problem:
        sys.stderr.write(f"takedown: {problem}\n")
        raise SystemExit(1) from None
