"""The lists of the API over a long history."""

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number, percentile
from tests.bench.http import Api
from tests.bench.processes import BenchError

P95_MS = 300.0


def measure(bench: Bench) -> list[Row]:
    """First, next and last pages, with and without filters; each list judged by the p95 of its requests."""
    sizes = bench.sizes
    last_job, last_execution = sizes.list_jobs - 50, sizes.list_executions - 100
    paths = {
        "jobs": ["jobs", "jobs?limit=100&offset=100", f"jobs?offset={last_job}", "jobs?state=failed"],
        "executions": [
            "executions", "executions?limit=100&offset=100", f"executions?offset={last_execution}",
            "executions?status=failed",
        ],
    }  # fmt: skip
    bench.side.fresh()
    runs: dict[str, list[float]] = {}
    by_path: dict[str, list[float]] = {}
    try:
        client = bench.side.client()
        made = client.ask(
            "fixture", jobs=sizes.list_jobs, executions=sizes.list_executions, tasks=sizes.page_tasks
        )
        client.stop()
        bench.say(f"  rows made in {number(made['seconds'])} s")
        token = bench.side.new_token()
        bench.side.start_up()
        api = Api(port=bench.side.port, token=token)
        for run in range(bench.runs):
            for name, asked in paths.items():
                took = []
                for path in asked * sizes.list_requests:
                    answer, seconds = api.get(path)
                    if not answer["results"]:
                        raise BenchError(f"GET {path}: expected rows, got {str(answer)[:300]}")
                    took.append(seconds * 1000)
                    by_path.setdefault(path, []).append(seconds * 1000)
                runs.setdefault(name, []).append(percentile(took, 0.95))
                bench.say(f"  run {run + 1}: GET {name} p95 {number(runs[name][-1])} ms")
        api.close()
    finally:
        bench.side.stop_all()
    told = "; ".join(f"`{path}` {number(median(took))}" for path, took in by_path.items())
    return [
        Row(
            measure=f"lists: {sizes.list_executions:,} executions, {sizes.list_jobs:,} jobs",
            goal=f"`GET jobs`, `GET executions` p95 < {P95_MS:g} ms",
            taskhub="; ".join(f"{name} p95 {number(median(values))} ms" for name, values in runs.items())
            + f" (medians in ms: {told})",
            checks=[
                Check(f"ms p95 of {name}", median(values), P95_MS, at_least=False)
                for name, values in runs.items()
            ],
            runs=runs,
        )
    ]
