"""What due times cost: deciding many at once, many that rest, reading files, looking ahead."""

from collections.abc import Callable

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number, percentile
from tests.bench.processes import BenchError, Client, wait_for
from tests.bench.systems import stamps

DUE_SECONDS, IDLE_MS, LATENCY_P95_MS, FILES_SECONDS, CHANGE_SECONDS, PREVIEW_MS = (
    2.0,
    1.0,
    50.0,
    15.0,
    2.0,
    10.0,
)


def _each_run(bench: Bench, once: Callable[[Client], dict[str, float]]) -> dict[str, list[float]]:
    runs: dict[str, list[float]] = {}
    for run in range(bench.runs):
        bench.side.fresh()
        client = Client(bench.processes, "tests.bench.tasks_client", env=bench.side.env)
        try:
            figures = once(client)
        finally:
            client.stop()
            bench.side.stop_all()
        for name, value in figures.items():
            runs.setdefault(name, []).append(value)
        bench.say(f"  run {run + 1}: " + ", ".join(f"{name} {number(v)}" for name, v in figures.items()))
    return runs


def due(bench: Bench) -> list[Row]:
    """All tasks due in one minute, from the first step until every job is queued."""
    count = bench.sizes.due_tasks

    def once(client: Client) -> dict[str, float]:
        answer = client.ask("due", count=count)
        if (answer["decided"], answer["queued"]) != (count, count):
            raise BenchError(f"expected {count} decided and queued, got {answer}")
        return {"seconds": answer["seconds"]}

    runs = _each_run(bench, once)
    took = median(runs["seconds"])
    return [
        Row(
            measure=f"due: {count:,} tasks due in one minute, decided and queued",
            goal=f"≤ {DUE_SECONDS:g} s",
            taskhub=f"{number(took)} s",
            checks=[Check("s", took, DUE_SECONDS, at_least=False)],
            runs=runs,
        )
    ]


def idle(bench: Bench) -> list[Row]:
    """A tick of the scheduler that finds nothing to do, beside many tasks that wait for their time."""
    sizes = bench.sizes

    def once(client: Client) -> dict[str, float]:
        answer = client.ask("idle", count=sizes.idle_tasks, ticks=sizes.idle_ticks)
        before, beside = (median(answer[name]) * 1000 for name in ("without", "with"))
        return {"ms without": before, "ms with": beside, "ms added": max(0.0, beside - before)}

    runs = _each_run(bench, once)
    added = median(runs["ms added"])
    return [
        Row(
            measure=f"idle: what {sizes.idle_tasks:,} waiting tasks add to a tick",
            goal=f"< {IDLE_MS:g} ms",
            taskhub=f"{number(added)} ms (a tick takes {number(median(runs['ms with']))} ms)",
            checks=[Check("ms", added, IDLE_MS, at_least=False)],
            runs=runs,
        )
    ]


def punctual(bench: Bench) -> list[Row]:
    """From the due time to the first line of user code, on a real engine with two runspaces."""
    sizes = bench.sizes
    path = bench.folder / "due-stamps"

    def once(client: Client) -> dict[str, float]:
        path.unlink(missing_ok=True)
        bench.side.start_engine()
        pace = sizes.punctual_pace
        moments = client.ask("stamped", count=sizes.punctual_tasks, pace=pace, path=str(path))["due"]
        wait_for(
            lambda: path.exists() and len(path.read_bytes().splitlines()) >= len(moments),
            "every due task has run",
            seconds=60,
        )
        began = stamps(path, len(moments))
        late = [(began[n] - moment) / 1e6 for n, moment in enumerate(moments)]
        return {"p50 ms": percentile(late, 0.5), "p95 ms": percentile(late, 0.95)}

    runs = _each_run(bench, once)
    p50, p95 = median(runs["p50 ms"]), median(runs["p95 ms"])
    return [
        Row(
            measure=f"punctual: due to user code at {1 / sizes.punctual_pace:g} due a second",
            goal=f"p95 ≤ {LATENCY_P95_MS:g} ms",
            taskhub=f"p50 {number(p50)} ms, p95 {number(p95)} ms",
            checks=[Check("ms p95", p95, LATENCY_P95_MS, at_least=False)],
            runs=runs,
        )
    ]


def files(bench: Bench) -> list[Row]:
    """Files of tasks read into rows, all at first, then one that has changed."""
    sizes = bench.sizes

    def once(client: Client) -> dict[str, float]:
        answer = client.ask("files", apps=sizes.task_files, tasks=10)
        if (answer["rows"], answer["effective"]) != (sizes.task_files * 10, 10):
            raise BenchError(f"expected {sizes.task_files * 10} rows, 10 of them changed, got {answer}")
        return {"s all": answer["loaded"], "s one": answer["changed"]}

    runs = _each_run(bench, once)
    loaded, changed = median(runs["s all"]), median(runs["s one"])
    return [
        Row(
            measure=f"files: {sizes.task_files:,} files of 10 tasks loaded; one of them changed",
            goal=f"≤ {FILES_SECONDS:g} s; ≤ {CHANGE_SECONDS:g} s",
            taskhub=f"{number(loaded)} s; {number(changed)} s",
            checks=[
                Check("s for all", loaded, FILES_SECONDS, at_least=False),
                Check("s for one", changed, CHANGE_SECONDS, at_least=False),
            ],
            runs=runs,
        )
    ]


def previews(bench: Bench) -> list[Row]:
    """The next five runs of schedules from the plain to the rare, in zones with changes of the clock."""

    def once(client: Client) -> dict[str, float]:
        took = [seconds * 1000 for seconds in client.ask("previews", count=bench.sizes.previews)["took"]]
        return {"p50 ms": percentile(took, 0.5), "p95 ms": percentile(took, 0.95)}

    runs = _each_run(bench, once)
    p95 = median(runs["p95 ms"])
    return [
        Row(
            measure="preview: the next five runs of a schedule",
            goal=f"≤ {PREVIEW_MS:g} ms",
            taskhub=f"p50 {number(median(runs['p50 ms']))} ms, p95 {number(p95)} ms",
            checks=[Check("ms p95", p95, PREVIEW_MS, at_least=False)],
            runs=runs,
        )
    ]
