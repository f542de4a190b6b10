"""Workers for the drills, ended with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connections
from redis import Redis

from local import control
from tests.drills.world import Workers
from tests.mailserver import MailServer


@pytest.fixture
def workers(transactional_db: None, mail_server: MailServer, tmp_path: Path) -> Iterator[Workers]:
    """Programs on the test's own database and broker; whatever happened, the servers are there afterwards."""
    running = Workers(mail_server, tmp_path)
    try:
        yield running
    finally:
        running.stop()
        for server in ("postgres", "redis"):
            control.ask("start", server)
        Redis.from_url(settings.HOST.redis_url).flushall()
        connections.close_all()
