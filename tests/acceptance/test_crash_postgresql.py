"""Several engines on one PostgreSQL, and a PostgreSQL that goes away under its engine."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import pytest_django

from jobs_app.states import JobState
from tests import postgres
from tests.acceptance.databases import make_database
from tests.acceptance.harness import Installation, Ledger, Prepared
from tests.acceptance.rows import Rows, history_fits, nothing_in_hand, started_once
from tests.support import wait_until

# It brings its own PostgreSQL, whatever the run is on.
pytestmark = [pytest.mark.processes, pytest.mark.one_database]

SIGN = "{context.job_id} {context.attempt}"
MANY = 2000


@pytest.fixture(scope="module")
def server() -> Iterator[postgres.Server]:
    """A server that tests may stop; nobody else uses it."""
    made = postgres.Server()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory, server: postgres.Server) -> Iterator[Prepared]:
    url = make_database(server.address)
    folder = tmp_path_factory.mktemp("prepared-postgresql")
    made = Prepared(folder, lambda _: make_database(server.address, template=url), url)
    yield made
    made.installation.clean_up()


@pytest.fixture
def installation(tmp_path: Path, prepared: Prepared) -> Iterator[Installation]:
    made = prepared.copy(tmp_path / "home")
    yield made
    made.clean_up()


@pytest.fixture
def rows(installation: Installation, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[Rows]:
    made = Rows(installation, django_db_blocker)
    made.pool(min_runspaces=2, max_runspaces=2, grace_seconds=0.3, drain_seconds=5.0)
    yield made
    made.close()


def took_part(rows: Rows) -> set[int | None]:
    return {job.engine for job in rows.jobs(state=JobState.COMPLETED).values()}


def test_two_engines_share_two_thousand_jobs(installation: Installation, rows: Rows, ledger: Ledger) -> None:
    engines = [installation.start_engine(), installation.start_engine()]
    rows.create(ledger.python(SIGN), MANY)
    jobs = rows.until_ended(timeout=60)
    assert {(job.state, job.attempt) for job in jobs.values()} == {(JobState.COMPLETED, 1)}
    assert sorted(ledger.lines()) == sorted(f"{job.public_id} 1" for job in jobs.values())
    assert len(took_part(rows)) == 2
    started_once(ledger, jobs)
    history_fits(rows)
    assert [installation.stop(engine) for engine in engines] == [0, 0]
    nothing_in_hand(rows)
    installation.nothing_runs()


def test_two_engines_of_which_one_is_killed_in_the_middle(
    installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    engines = [installation.start_engine(), installation.start_engine()]
    rows.create(ledger.python(SIGN), MANY, idempotent=True, max_attempts=3)
    plain = rows.create(ledger.python(SIGN), 20)
    wait_until(
        lambda: len(took_part(rows)) == 2 and rows.count(finished_at__isnull=False) > MANY // 4, timeout=30
    )
    engines[0].kill()
    assert engines[0].wait() == -signal.SIGKILL
    rows.until_settled()
    jobs = rows.until_ended(timeout=60)
    assert {job.state for uuid, job in jobs.items() if uuid not in plain} == {JobState.COMPLETED}
    assert {job.reason for job in jobs.values()} <= {"", "lost"}
    started_once(ledger, jobs)
    history_fits(rows)
    assert installation.stop(engines[1]) == 0
    nothing_in_hand(rows)
    installation.nothing_runs()


def until_ended_count(rows: Rows, least: int) -> None:
    wait_until(lambda: rows.count(finished_at__isnull=False) >= least, timeout=30, interval=0)


@pytest.fixture
def back(server: postgres.Server) -> Iterator[Callable[[], None]]:
    yield server.back
    server.back()


def test_jobs_outlive_a_database_that_stops_and_comes_back(
    installation: Installation, rows: Rows, ledger: Ledger, server: postgres.Server, back: Callable[[], None]
) -> None:
    go = installation.home / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.02)\n"
    engine = installation.start_engine()
    (long,) = rows.create(ledger.python(SIGN) + wait + "print('said')\n'long'", priority=1)
    rows.until_running(long)
    rows.create(ledger.python(SIGN), 600)
    wait_until(lambda: rows.count(finished_at__isnull=False) > 50, interval=0)
    rows.let_go()
    server.down()
    go.touch()
    wait_until(lambda: "does not answer" in installation.printed(), message="the engine has noticed")
    folder = installation.home / "work" / str(long)
    wait_until(lambda: not folder.exists(), message="the long job has ended meanwhile")
    assert engine.poll() is None
    back()
    jobs = rows.until_ended()
    assert {(job.state, job.attempt) for job in jobs.values()} == {(JobState.COMPLETED, 1)}
    assert (jobs[long].result, jobs[long].output_lines) == ('"long"', 1)
    started_once(ledger, jobs)
    history_fits(rows)
    assert engine.poll() is None
    assert installation.stop(engine) == 0
    nothing_in_hand(rows)
    installation.nothing_runs()


def test_connections_cut_again_and_again_lose_and_double_nothing(
    installation: Installation, rows: Rows, ledger: Ledger
) -> None:
    engine = installation.start_engine()
    rows.create(ledger.python(SIGN), 1500)
    cut = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
        "AND pid <> pg_backend_pid()"
    )
    for step in range(1, 6):
        until_ended_count(rows, step * 100)
        rows.let_go()
        with psycopg.connect(installation.database_url, autocommit=True) as connection:
            connection.execute(cut)
    jobs = rows.until_ended()
    assert {(job.state, job.attempt) for job in jobs.values()} == {(JobState.COMPLETED, 1)}
    assert sorted(ledger.lines()) == sorted(f"{job.public_id} 1" for job in jobs.values())
    history_fits(rows)
    assert installation.stop(engine) == 0
    nothing_in_hand(rows)


@pytest.mark.parametrize("signals", [1, 2])
def test_an_engine_told_to_stop_while_the_database_is_away_leaves_what_it_knows_to_the_next(
    signals: int,
    installation: Installation,
    rows: Rows,
    ledger: Ledger,
    server: postgres.Server,
    back: Callable[[], None],
) -> None:
    go = installation.home / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}):\n    time.sleep(0.02)\n"
    rows.pool(drain_seconds=1.0)
    engine = installation.start_engine()
    (done,) = rows.create(ledger.python(SIGN) + wait + "'done'")
    rows.until_running(done)
    installation.remember()
    rows.let_go()
    server.down()
    go.touch()
    folder = installation.home / "work" / str(done)
    wait_until(lambda: not folder.exists(), message="the job has ended in its runspace")
    for _ in range(signals):
        engine.send_signal(signal.SIGTERM)
    assert engine.wait(timeout=15) is not None
    installation.nothing_runs()
    back()
    next_one = installation.start_engine()
    rows.until_settled()
    jobs = rows.until_ended()
    assert (jobs[done].state, jobs[done].result) == (JobState.COMPLETED, '"done"')
    started_once(ledger, jobs)
    history_fits(rows)
    assert installation.stop(next_one) == 0
    nothing_in_hand(rows)
