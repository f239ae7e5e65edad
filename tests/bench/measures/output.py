"""Jobs that print much: how fast it is taken, what others feel of it, how fast a far line is found."""

import threading
from typing import Any

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number, percentile
from tests.bench.http import Api
from tests.bench.processes import BenchError, wait_for

RATE_MB, API_MS, LINE_MS = 100.0, 200.0, 50.0
LINE_BYTES = 100
# Numbered lines, so that what is served can be checked; written straight to descriptor 1 by the block.
PRINTS = """
import os
def write(data):
    view = memoryview(data)
    while view:
        view = view[os.write(1, view):]
per_block = 10_000
for first in range(0, context.parameters["lines"], per_block):
    last = min(first + per_block, context.parameters["lines"])
    write(b"".join(b"%0*d\\n" % (99, n + 1) for n in range(first, last)) if context.parameters["numbered"]
          else (b"x" * 99 + b"\\n") * (last - first))
"""
PROBE_PAUSE = 0.02


def prints(bench: Bench) -> list[Row]:
    """Bytes per second from a job's start to its end, the API asked all the while by another client."""
    sizes = bench.sizes
    lines = sizes.print_bytes // LINE_BYTES
    rates: list[float] = []
    waits: list[float] = []
    for run in range(bench.runs):
        with _Up(bench) as up:
            asked: list[float] = []
            done = threading.Event()
            probe = threading.Thread(target=_ask, args=(up.another(), asked, done), name="probe")
            _print(
                up.api, lines=lines, numbered=False, pool="default"
            )  # the first brings runspaces to owner and page
            probe.start()
            try:
                took = [
                    _print(up.api, lines=lines, numbered=False, pool="default")
                    for _ in range(sizes.print_jobs)
                ]
            finally:
                done.set()
                probe.join()
        rates.append(median([lines * LINE_BYTES / 1e6 / seconds for seconds in took]))
        waits.append(percentile(asked, 0.95) * 1000)
        bench.say(
            f"  run {run + 1}: {number(rates[-1])} MB/s, API p95 {number(waits[-1])} ms of {len(asked)}"
        )
    return [
        Row(
            measure=f"output: a job that prints {sizes.print_bytes / 1e6:g} MB",
            goal=f"≥ {RATE_MB:g} MB/s, API p95 < {API_MS:g} ms meanwhile",
            taskhub=f"{number(median(rates))} MB/s, `GET jobs` p95 {number(median(waits))} ms",
            checks=[
                Check("MB/s", median(rates), RATE_MB, at_least=True),
                Check("ms p95", median(waits), API_MS, at_least=False),
            ],
            runs={"MB/s": rates, "API p95 ms": waits},
        )
    ]


def far_line(bench: Bench) -> list[Row]:
    """One output of 10 million lines, none dropped; then a hundred from the millionth on."""
    sizes = bench.sizes
    took: list[float] = []
    with _Up(bench) as up:
        _print(up.api, lines=sizes.long_lines, numbered=True, pool="unbounded", keep=(job := [""]))
        for run in range(bench.runs):
            # A place of its own each time, so that no answer is one already given.
            line = sizes.far_line + 1_000 * run
            answer, seconds = up.api.get(f"jobs/{job[0]}/output?line={line}&lines=100")
            if f"{line:099d}" not in str(answer):
                raise BenchError(f"line {line}: got {str(answer)[:300]}")
            took.append(seconds * 1000)
            bench.say(f"  run {run + 1}: {number(took[-1])} ms")
    return [
        Row(
            measure=f"line: line {sizes.far_line:,} of a {sizes.long_lines * LINE_BYTES / 1e9:g} GB output",
            goal=f"< {LINE_MS:g} ms",
            taskhub=f"{number(median(took))} ms (first {number(took[0])}, longest {number(max(took))})",
            checks=[Check("ms", median(took), LINE_MS, at_least=False)],
            runs={"ms": took},
        )
    ]


class _Up:
    """Web and engine, and a client signed in."""

    def __init__(self, bench: Bench) -> None:
        self._side = bench.side

    def __enter__(self) -> "_Up":
        self._side.fresh()
        self._token = self._side.new_token()
        self._side.start_up()
        self.api = self.another()
        return self

    def another(self) -> Api:
        return Api(port=self._side.port, token=self._token)

    def __exit__(self, *ignored: object) -> None:
        self.api.close()
        self._side.stop_all()


def _ask(api: Api, took: list[float], done: threading.Event) -> None:
    while not done.is_set():
        took.append(api.get("jobs")[1])
        done.wait(PROBE_PAUSE)
    api.close()


def _print(api: Api, *, lines: int, numbered: bool, pool: str, keep: list[str] | None = None) -> float:
    """Run the job to its end; seconds from its start to its end, as its row tells them."""
    body = {
        "language": "python", "code": PRINTS, "pool": pool, "start": True,
        "parameters": {"lines": lines, "numbered": numbered},
    }  # fmt: skip
    job: dict[str, Any] = api.call("POST", "jobs", body)[0]
    if keep is not None:
        keep[0] = job["id"]

    def ended() -> dict[str, Any] | None:
        now: dict[str, Any] = api.get(f"jobs/{job['id']}")[0]
        return now if now["finished_at"] else None

    row = wait_for(ended, "the job that prints", seconds=300, every=0.1)
    if row is None or row["state"] != "completed" or row["output"]["bytes"] != lines * LINE_BYTES:
        raise BenchError(f"the job that prints: {row}")
    return float(row["duration"])
