"""Callables side by side."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection


@pytest.fixture
def together() -> Callable[..., None]:
    """Run callables at the same time, each with a database connection of its own; faults rise here."""

    def run(*jobs: Callable[[], object]) -> None:
        faults: list[BaseException] = []
        start = threading.Barrier(len(jobs))

        def work(job: Callable[[], object]) -> None:
            try:
                start.wait()
                job()
            except Exception as fault:  # noqa: BLE001 - handed to the test
                faults.append(fault)
            finally:
                connection.close()

        threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults, faults

    return run
