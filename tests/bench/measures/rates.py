"""Jobs per second: a full queue drained, jobs enqueued one by one, jobs that start a shell."""

from collections.abc import Callable

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number
from tests.bench.systems import WAIT_SECONDS, System

GOALS_OF_DRAIN = {"Celery": 5.0, "Huey on SQLite": 2.0, "Huey on Redis": 1.2}


def drain(bench: Bench) -> list[Row]:
    """Warm workers meet a queue that is full at once; the clock runs from then to the last stored result."""
    count = bench.sizes.drain_jobs
    rates = _compare(
        bench, "noop", ["Taskhub", *GOALS_OF_DRAIN], lambda system: _drained(system, "noop", count), count
    )
    row = Row(
        measure=f"drain: {count:,} no-op Python jobs already queued, 2 runspaces",
        goal="; ".join(f"≥ {goal:g} x {name}" for name, goal in GOALS_OF_DRAIN.items()),
    )
    return [_row(row, rates, GOALS_OF_DRAIN)]


def live(bench: Bench) -> list[Row]:
    """One producer enqueues one by one, each durable before the next; the clock runs from the first call."""
    count = bench.sizes.live_jobs
    goals = {"Celery": 2.0}
    names = ["Taskhub", "Celery", "Huey on SQLite", "Huey on Redis"]
    rates = _compare(bench, "noop", names, lambda system: _live(system, count), count)
    row = Row(
        measure=f"live: {count:,} of the same, enqueued one by one by one producer", goal="≥ 2 x Celery"
    )
    return [_row(row, rates, goals)]


def shell(bench: Bench) -> list[Row]:
    """`sh -c true` as a job of its own language here, by subprocess.run in the peer."""
    count = bench.sizes.shell_jobs
    goals = {"Huey on Redis": 0.8}
    rates = _compare(
        bench, "shell", ["Taskhub", "Huey on Redis"], lambda system: _drained(system, "shell", count), count
    )
    row = Row(measure=f"shell: {count:,} jobs of `sh -c true`, already queued", goal="≥ 0.8 x Huey on Redis")
    return [_row(row, rates, goals)]


def _drained(system: System, kind: str, count: int) -> float:
    released = system.client.ask("queue", kind=kind, count=count)["released"]
    ended = system.client.ask("wait", count=count, limit=WAIT_SECONDS)["at"]
    return count / float(ended - released)


def _live(system: System, count: int) -> float:
    begun = system.client.ask("produce", kind="noop", count=count, pace=0)["asked"][0] / 1e9
    ended = system.client.ask("wait", count=count, limit=WAIT_SECONDS)["at"]
    return count / float(ended - begun)


def _compare(
    bench: Bench, kind: str, names: list[str], once: Callable[[System], float], count: int
) -> dict[str, list[float]]:
    """Each run takes every system in turn, so that a slow minute of the machine meets all alike."""
    rates: dict[str, list[float]] = {}
    for run in range(bench.runs):
        for system in bench.systems(*names):
            try:
                system.start(kind)
                rate = once(system)
                system.check(count)
            finally:
                system.stop()
            rates.setdefault(system.name, []).append(rate)
            bench.say(f"  run {run + 1}: {system.name} {number(rate)}/s")
    return rates


def _row(row: Row, rates: dict[str, list[float]], goals: dict[str, float]) -> Row:
    row.runs = rates
    medians = {name: median(values) for name, values in rates.items()}
    ours = medians.pop("Taskhub", None)
    row.peers = ", ".join(f"{name} {number(rate)}/s" for name, rate in medians.items())
    if ours is None:
        return row
    row.taskhub = f"{number(ours)}/s"
    row.checks = [
        Check(f"x {name}", ours / medians[name], goal, at_least=True)
        for name, goal in goals.items()
        if name in medians
    ]
    return row
