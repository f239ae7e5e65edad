"""From the call that enqueues to the first line of user code, at light load."""

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number, percentile
from tests.bench.systems import System, stamps

P50_MS, P95_MS = 2.0, 5.0


def measure(bench: Bench) -> list[Row]:
    """The user code writes the monotonic clock, which all processes of a machine share, to a file.

    The clock starts before the enqueueing call; what is left of it after that call has returned
    (the job being durable then) is told beside it.
    """
    count, pace = bench.sizes.latency_jobs, bench.sizes.latency_pace
    runs: dict[str, list[float]] = {}
    for run in range(bench.runs):
        for system in bench.systems("Taskhub", "Celery", "Huey on Redis", "Huey on SQLite"):
            try:
                system.start("stamp")
                figures = _once(bench, system, count, pace, run)
            finally:
                system.stop()
            for name, value in figures.items():
                runs.setdefault(f"{system.name} {name}", []).append(value)
            bench.say(
                f"  run {run + 1}: {system.name} "
                + ", ".join(f"{k} {number(v)} ms" for k, v in figures.items())
            )
    row = Row(
        measure=f"latency: enqueue to user code, one each {pace * 1000:g} ms",
        goal=f"p50 ≤ {P50_MS:g} ms, p95 ≤ {P95_MS:g} ms",
        runs=runs,
    )
    told = []
    for name in ("Taskhub", "Celery", "Huey on Redis", "Huey on SQLite"):
        if f"{name} p50" not in runs:
            continue
        p50, p95, after = (
            median(runs[f"{name} {figure}"]) for figure in ("p50", "p95", "p50 after the call")
        )
        text = f"p50 {number(p50)} ms, p95 {number(p95)} ms ({number(after)} after the call)"
        if name == "Taskhub":
            row.taskhub = text
            row.checks = [
                Check("ms p50", p50, P50_MS, at_least=False),
                Check("ms p95", p95, P95_MS, at_least=False),
            ]
        else:
            told.append(f"{name} {text}")
    row.peers = ", ".join(told)
    return [row]


def _once(bench: Bench, system: System, count: int, pace: float, run: int) -> dict[str, float]:
    path = bench.folder / f"stamps-{run}-{system.name.replace(' ', '-')}"
    path.unlink(missing_ok=True)
    produced = system.client.ask("produce", kind="stamp", count=count, pace=pace, path=str(path))
    system.client.ask("wait", count=count, limit=60.0)
    began = stamps(path, count)
    whole = [(began[n] - at) / 1e6 for n, at in enumerate(produced["asked"])]
    after = [(began[n] - at) / 1e6 for n, at in enumerate(produced["returned"])]
    return {
        "p50": percentile(whole, 0.5),
        "p95": percentile(whole, 0.95),
        "p50 after the call": percentile(after, 0.5),
    }
