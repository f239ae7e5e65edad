"""A live channel of its own for each test."""

from collections.abc import Iterator

import pytest

from jobs_app.live import consumer, watcher
from tests.support import wait_until


@pytest.fixture(autouse=True)
def fresh_watcher(monkeypatch: pytest.MonkeyPatch) -> Iterator[watcher.Watcher]:
    """The watcher of this test; its thread has ended, and let go of its connection, when the test has."""
    fresh = watcher.Watcher()
    monkeypatch.setattr(watcher, "watcher", fresh)
    monkeypatch.setattr(consumer, "ROUND_SECONDS", 0.05)
    yield fresh
    wait_until(lambda: not fresh.running, message="nobody watches any more")
