"""The servers without Docker: PostgreSQL and the Redis-compatible one, from the wheels."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from redis import Redis
from redis.exceptions import AuthenticationError

from local import servers
from local.children import Failed, Launcher


@pytest.fixture
def running(launcher: Launcher, tmp_path: Path) -> Iterator[servers.Servers]:
    ready = servers.prepare(
        tmp_path, durable=False, redis_port=servers.free_port(), redis_password=servers.new_password()
    )
    launcher.start(ready.redis, wait=False)
    launcher.start(ready.postgres)
    launcher.wait_ready("redis")
    yield ready
    launcher.stop("redis", "postgres")
    servers.forget(tmp_path)


def connect(running: servers.Servers) -> psycopg.Connection[tuple[object, ...]]:
    path = Path(urlsplit(running.database_url).path)
    return psycopg.connect(host=str(path.parent)[1:], dbname=path.name, user=servers.NAME, autocommit=True)


def test_both_serve_and_serve_again_after_stop_and_kill(launcher: Launcher, running: servers.Servers) -> None:
    with connect(running) as link:
        link.execute("CREATE TABLE kept (line text)")
        link.execute("INSERT INTO kept VALUES ('before')")
    assert Redis.from_url(running.redis_url).ping()

    for end in (launcher.stop, launcher.kill):
        end("postgres")
        end("redis")
        launcher.start(running.redis)
        launcher.start(running.postgres)

        assert Redis.from_url(running.redis_url).ping()
        with connect(running) as link:
            assert link.execute("SELECT line FROM kept").fetchall() == [("before",)]


def test_the_application_is_no_superuser_but_may_make_test_databases(running: servers.Servers) -> None:
    with connect(running) as link:
        rights = link.execute(
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
        assert rights == (False, True)
        assert link.execute("SELECT current_setting('TimeZone')").fetchone() == ("UTC",)


def test_no_value_of_a_statement_reaches_the_log(running: servers.Servers) -> None:
    with connect(running) as link:
        link.execute("CREATE TABLE pages (address text PRIMARY KEY)")
        for _ in range(2):
            try:
                link.execute("INSERT INTO pages VALUES (%s)", ["http://secret.example/page"])
            except psycopg.errors.UniqueViolation:
                continue
        with pytest.raises(psycopg.errors.UndefinedTable):
            link.execute("SELECT 'http://secret.example/page' FROM nowhere")

    log = running.postgres.log.read_text()
    assert "duplicate key" in log
    assert "secret.example" not in log


def test_redis_wants_its_password(running: servers.Servers) -> None:
    assert "requirepass" not in " ".join(running.redis.argv)
    stranger = Redis(port=urlsplit(running.redis_url).port or 0, protocol=2)
    with pytest.raises(AuthenticationError):
        stranger.ping()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
def test_root_without_user_namespaces_runs_postgres_as_nobody(
    launcher: Launcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "_user_namespace", lambda: False)
    private = tmp_path / "private"
    private.mkdir(mode=0o700)  # as /root is: nobody may not even pass through

    ready = servers.prepare(private, durable=True, redis_port=servers.free_port(), redis_password="p" * 8)
    launcher.start(ready.postgres)

    assert (private / "postgres").stat().st_uid == servers.NOBODY
    with connect(ready) as link:
        assert link.execute("SELECT 1").fetchone() == (1,)
    launcher.stop("postgres")
    servers.forget(private)


def test_data_of_another_postgres_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")

    with pytest.raises(Failed, match="were made by PostgreSQL 9"):
        servers.prepare(tmp_path, durable=True, redis_port=1, redis_password="p")
    servers.forget(tmp_path)


def test_a_socket_folder_is_private_short_and_the_same_each_time(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    folder = servers.socket_folder(deep)

    assert folder == servers.socket_folder(deep)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(str(folder / ".s.PGSQL.5432")) <= servers.LONGEST_SOCKET
    servers.forget(deep)
    assert not folder.exists()


def test_a_socket_folder_that_somebody_else_made_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder = servers.socket_folder(tmp_path / "data")
    folder.rmdir()
    folder.symlink_to(tmp_path)

    with pytest.raises(Failed, match="belongs to somebody else"):
        servers.socket_folder(tmp_path / "data")
