"""A web process that writes while the engine commits without pause, on SQLite."""

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number, percentile

P95_MS = 20.0
PACE = 0.01


def measure(bench: Bench) -> list[Row]:
    """Another process creates jobs (job, spec and audit row, one commit) while the engine drains a queue."""
    sizes = bench.sizes
    runs: dict[str, list[float]] = {}
    for run in range(bench.runs):
        for system in bench.systems("Taskhub"):
            try:
                system.start("noop")
                system.client.ask("queue", kind="noop", count=sizes.insert_jobs)
                seen = system.client.ask(
                    "insert_beside", limit=sizes.insert_seconds, pace=PACE, until=sizes.insert_jobs
                )
            finally:
                system.stop()
            took = [seconds * 1000 for seconds in seen["took"]]
            figures = {
                "p50 ms": percentile(took, 0.5),
                "p95 ms": percentile(took, 0.95),
                "longest ms": max(took),
                "locked": float(len(seen["locked"])),
                "inserts": float(len(took)),
                "jobs ended per second": seen["ended"] / seen["seconds"],
            }
            for name, value in figures.items():
                runs.setdefault(name, []).append(value)
            bench.say(f"  run {run + 1}: " + ", ".join(f"{k} {number(v)}" for k, v in figures.items()))
    p50, p95, longest = (median(runs[name]) for name in ("p50 ms", "p95 ms", "longest ms"))
    return [
        Row(
            measure="insert: a job created by another process beside an engine that commits without pause",
            goal=f"p95 ≤ {P95_MS:g} ms, no `database is locked`",
            taskhub=(
                f"p50 {number(p50)} ms, p95 {number(p95)} ms, longest {number(longest)} ms, "
                f"{sum(runs['locked']):.0f} locked"
            ),
            checks=[
                Check("ms p95", p95, P95_MS, at_least=False),
                Check("locked", sum(runs["locked"]), 0.0, at_least=False),
            ],
            runs=runs,
        )
    ]
