"""Pools on a real engine: they grow with work, shrink without it, and are switched off and on."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs_app.models import Job
from runspaces_app.models import Pool, Runspace, RunspaceSample
from runspaces_app.worker import processes

from .conftest import EngineInTest

Submit = Callable[..., Job]


@pytest.fixture
def change(engine: EngineInTest, pool: Pool) -> Callable[..., None]:
    """Change the pool's row and let the engine read it, as it does every few seconds."""

    def set_limits(**limits: Any) -> None:
        Pool.objects.filter(pk=pool.pk).update(**limits)
        engine.engine._keeper.load_pools()

    return set_limits


@pytest.fixture
def go(tmp_path: Path) -> Path:
    """Jobs that wait for it go on when it exists."""
    return tmp_path / "go"


@pytest.fixture
def app(home: Path) -> str:
    """A hosted app, whose jobs share no runspace with those of people."""
    folder = home / "apps" / "Shop"
    folder.mkdir(parents=True)
    (folder / "app.yaml").write_text("name: Shop\nversion: '1'\nenabled: true\n")
    return "Shop"


def waiting_for(go: Path) -> str:
    return f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nos.getpid()"


def opened() -> int:
    return Runspace.objects.filter(state="opened").count()


def reasons() -> list[str]:
    return list(Runspace.objects.exclude(state="opened").values_list("close_reason", flat=True))


def test_it_grows_with_work_and_shrinks_without_it(
    engine: EngineInTest, submit: Submit, change: Callable[..., None], go: Path
) -> None:
    change(min_runspaces=1, max_runspaces=3, idle_seconds=1)
    jobs = [submit(waiting_for(go)) for _ in range(4)]
    engine.until(lambda: Job.objects.filter(state="running").count() == 3, 20, "three run")
    assert opened() == 3

    go.touch()
    engine.run(*jobs, timeout=30)
    engine.until(lambda: opened() == 1, 20, "two were closed")

    assert len({job.result for job in jobs}) == 3
    assert all(why.startswith("without work for ") for why in reasons())
    assert set(Runspace.objects.exclude(state="opened").values_list("state", flat=True)) == {"closed"}


def test_what_is_free_for_others_gives_way_to_jobs_whose_own_runspaces_are_busy_for_long(
    engine: EngineInTest, submit: Submit, change: Callable[..., None], app: str, go: Path
) -> None:
    change(min_runspaces=1, max_runspaces=2)
    long = submit(waiting_for(go), app=app)
    engine.until_running(long)
    other = submit()
    engine.run(other)
    assert opened() == 2

    engine.run(submit(app=app))

    long.refresh_from_db()
    assert long.state == "running"
    engine.until(lambda: reasons() == ["served owner:, another is waiting"], message="the other went")


def test_what_is_free_for_others_keeps_no_engine_turning(
    engine: EngineInTest, submit: Submit, change: Callable[..., None], app: str, go: Path
) -> None:
    change(min_runspaces=1, max_runspaces=2)
    long = submit(waiting_for(go), app=app)
    engine.until_running(long)
    engine.run(submit())
    # Nobody may be let go, so the job has to wait beside a free runspace.
    engine.engine._dispatcher._make_room = lambda *_: None  # type: ignore[method-assign]
    waiting = submit(app=app)
    engine.until(lambda: "default" in engine.engine._dispatcher.starved, message="it found no runspace")

    at_once = 0
    for _ in range(200):
        engine.engine.turn(0)
        at_once += engine.engine._timeout() == 0.0

    assert at_once < 100
    waiting.refresh_from_db()
    assert waiting.state == "queued"
    go.touch()
    engine.run(waiting)


def test_a_pool_without_a_minimum_keeps_nothing_and_opens_for_a_job(
    engine: EngineInTest, submit: Submit, change: Callable[..., None]
) -> None:
    change(min_runspaces=0, max_runspaces=1, idle_seconds=1)
    engine.until(lambda: opened() == 0, 20, "the first is closed")

    job = submit("'served'")
    engine.run(job)

    assert job.result == '"served"'
    engine.until(lambda: opened() == 0, 20, "it is closed again")


def test_a_pool_that_is_switched_off_ends_what_runs_and_begins_nothing(
    engine: EngineInTest, submit: Submit, change: Callable[..., None], go: Path
) -> None:
    change(min_runspaces=1, max_runspaces=1)
    running = submit(waiting_for(go))
    engine.until_running(running)

    change(enabled=False)
    waiting = submit("'later'")
    go.touch()
    engine.run(running)
    engine.until(lambda: opened() == 0, 20, "all are closed")
    for _ in range(20):
        engine.engine.turn(0.01)

    waiting.refresh_from_db()
    assert (running.state, waiting.state, waiting.runspace) == ("completed", "queued", None)
    assert set(reasons()) == {"the pool is switched off"}

    change(enabled=True)
    engine.run(waiting, timeout=30)
    assert waiting.result == '"later"'


@pytest.mark.parametrize(
    ("limits", "why"),
    [({"max_age_seconds": 1}, " s old"), ({"max_memory_bytes": 1 << 20}, "uses ")],
)
def test_a_runspace_that_is_too_old_or_too_large_is_replaced_by_another(
    engine: EngineInTest, submit: Submit, change: Callable[..., None], limits: dict[str, int], why: str
) -> None:
    job = submit("import os; os.getpid()")
    engine.run(job)
    engine.engine._keeper._sample_at = 0.0
    engine.until(lambda: any(member.memory for member in engine.members()), 20, "it was measured")

    change(**limits)
    engine.until(lambda: any(why in reason for reason in reasons()), 20, "it was replaced")

    change(max_age_seconds=-1, max_memory_bytes=-1)
    other = submit("import os; os.getpid()")
    engine.run(other, timeout=30)
    assert other.result != job.result


def test_each_runspace_collects_its_garbage_once_an_hour_in_its_own_minute(
    engine: EngineInTest, change: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    change(min_runspaces=3, max_runspaces=3)
    engine.until(lambda: len([m for m in engine.members() if m.phase == "ready"]) == 3, 30, "three are there")
    keeper = engine.engine._keeper
    collected: list[tuple[int, int, int]] = []
    with monkeypatch.context() as patched:
        moment = [0, 0]
        patched.setattr(keeper, "send", lambda member, _: collected.append((member.number, *moment)))
        for hour in (7, 8):
            for minute in range(60):
                moment[:] = [hour, minute]
                for _ in range(5):  # the loop turns many times a minute
                    keeper.collect_garbage(minute, hour)

    assert sorted(collected) == [
        (number, hour, number * 3) for number in (1, 2, 3) for hour in (7, 8)
    ]  # fmt: skip


def test_samples_count_the_children_of_a_job(engine: EngineInTest, submit: Submit, go: Path) -> None:
    alone = engine.until(lambda: next((m for m in engine.members() if m.memory), None), 40, "it was measured")
    bare = (alone.threads, alone.handles)
    job = submit(
        "import subprocess, threading\n"
        "for _ in range(2): subprocess.Popen(['sleep', '60'])\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n" + waiting_for(go)
    )
    engine.until_running(job)
    member = next(member for member in engine.members() if member.held)
    engine.until(lambda: len(processes.children(member.process.pid)) == 2, 20, "its children are there")
    engine.engine._keeper._sample_at = 0.0
    engine.until(lambda: member.threads > bare[0], 20, "it was measured again")

    row = engine.until(
        lambda: Runspace.objects.filter(pk=member.id, threads=bare[0] + 3).first(), 10, "the row tells it"
    )
    assert row.handles > bare[1]
    assert RunspaceSample.objects.filter(runspace=row.pk, threads=row.threads).exists()

    go.touch()
    engine.run(job)
