"""An engine that is to end by itself: what it does about work that nothing can run."""

from collections.abc import Callable

import pytest

from jobs_app.engine import loop
from jobs_app.engine.loop import Engine
from jobs_app.models import Job
from taskhub.core.clock import SYSTEM
from taskhub.core.home import Home
from tests.support import wait_until


def test_it_gives_up_on_a_pool_whose_runspaces_do_not_come_up(
    submit: Callable[..., Job], home: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PATIENCE_SECONDS", 0.3)
    job = submit("1")
    engine = Engine(clock=SYSTEM, home=Home.current(), version="test", once=True)
    engine._keeper.start()
    engine._keeper.opening_allowed = False
    began = SYSTEM.monotonic()
    wait_until(lambda: not engine.turn(0.01), 20, "it leaves", interval=0)
    engine._shut()
    assert SYSTEM.monotonic() - began >= 0.3
    assert engine.gave_up_on == {"default"}
    job.refresh_from_db()
    assert job.state == "queued"
