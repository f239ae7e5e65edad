"""Open pages: how late they are, what they cost, and what they notice of a busy engine."""

import json
import threading
import time
from contextlib import ExitStack
from typing import Any

import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from tests.acceptance.http_client import HttpClient
from tests.acceptance.live_client import session_cookie, socket
from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number, percentile
from tests.bench.http import Api
from tests.bench.taskhub_side import PASSWORD, TaskhubSide

LATE_MS, CPU_PERCENT, LIST_MS = 500.0, 40.0, 150.0
SHOWN = 50
ENDS_PER_SECOND = 5_000
CHANGES_PER_SECOND = 2
BATCH_SECONDS = 0.1
WRITING = """import time
for step in range({steps}):
    progress.status_message = str(time.time())
    print(step, flush=True)
    time.sleep(0.3)
"""


class _Web:
    """The web process of a side, as the live client wants it."""

    def __init__(self, side: TaskhubSide) -> None:
        self.port = side.port
        self.address = f"http://127.0.0.1:{side.port}"

    def client(self, token: str = "") -> HttpClient:
        return HttpClient(self.address, token=token)


def measure(bench: Bench) -> list[Row]:
    """A script's progress on one page; then many pages of lists, calm and beside thousands of ends."""
    runs: dict[str, list[float]] = {}
    for run in range(bench.runs):
        bench.side.fresh()
        try:
            up = bench.side.start_up()
            figures = _watch(bench, psutil.Process(up.pid))
        finally:
            bench.side.stop_all()
        for name, value in figures.items():
            runs.setdefault(name, []).append(value)
        bench.say(f"  run {run + 1}: " + ", ".join(f"{k} {number(v)}" for k, v in figures.items()))
    seen = {name: median(values) for name, values in runs.items()}
    sockets = bench.sizes.live_sockets
    return [
        Row(
            measure="page: from a script's progress to the socket of its page",
            goal=f"p95 ≤ {LATE_MS:g} ms",
            taskhub=f"p50 {number(seen['late p50 ms'])} ms, p95 {number(seen['late p95 ms'])} ms",
            checks=[Check("ms p95", seen["late p95 ms"], LATE_MS, at_least=False)],
            runs={name: runs[name] for name in ("late p50 ms", "late p95 ms")},
        ),
        Row(
            measure=f"pages: {sockets} open lists of {SHOWN} jobs, {CHANGES_PER_SECOND} changes a second",
            goal=f"web ≤ {CPU_PERCENT:g} % of a core, job list ≤ {LIST_MS:g} ms",
            taskhub=f"{number(seen['CPU %'])} %, job list {number(seen['list ms'])} ms",
            checks=[
                Check("% of a core", seen["CPU %"], CPU_PERCENT, at_least=False),
                Check("ms job list", seen["list ms"], LIST_MS, at_least=False),
            ],
            runs={name: runs[name] for name in ("CPU %", "list ms")},
        ),
        Row(
            measure=f"pages beside {ENDS_PER_SECOND:,} rows of ended jobs a second",
            goal=f"job list ≤ {LIST_MS:g} ms, a change shown ≤ {LATE_MS:g} ms",
            taskhub=(
                f"job list {number(seen['busy list ms'])} ms, change shown p95 "
                f"{number(seen['busy late p95 ms'])} ms, {number(seen['rows per second'])} rows/s, "
                f"web {number(seen['busy CPU %'])} %"
            ),
            checks=[
                Check("ms job list", seen["busy list ms"], LIST_MS, at_least=False),
                Check("ms p95", seen["busy late p95 ms"], LATE_MS, at_least=False),
            ],
            runs={name: values for name, values in runs.items() if name.startswith(("busy", "rows"))},
        ),
    ]


def _watch(bench: Bench, up: psutil.Process) -> dict[str, float]:
    web = next(child for child in up.children() if "web" in " ".join(child.cmdline()))
    where = _Web(bench.side)
    cookie = session_cookie(where, PASSWORD)
    api = Api(port=bench.side.port, token=bench.side.new_token())
    try:
        late = _late(where, cookie, api, bench.sizes.live_steps)
        jobs = [
            str(api.call("POST", "jobs", {"language": "shell", "code": "true"})[0]["uuid"])
            for _ in range(SHOWN)
        ]
        with ExitStack() as stack:
            pages = [
                _Page(stack.enter_context(socket(where, cookie, jobs=jobs)))
                for _ in range(bench.sizes.live_sockets)
            ]
            calm = _Load(bench, jobs, ends=0).run(web, api, pages)
            busy = _Load(bench, jobs, ends=ENDS_PER_SECOND).run(web, api, pages)
    finally:
        api.close()
    return {
        "late p50 ms": percentile(late, 0.5),
        "late p95 ms": percentile(late, 0.95),
        "CPU %": calm["CPU %"],
        "list ms": calm["list ms"],
        "busy CPU %": busy["CPU %"],
        "busy list ms": busy["list ms"],
        "busy late p95 ms": busy["late p95 ms"],
        "rows per second": busy["rows per second"],
    }


def _late(where: _Web, cookie: str, api: Api, steps: int) -> list[float]:
    """Milliseconds from each write of a script to the frame that tells it."""
    body = {"language": "python", "code": WRITING.format(steps=steps), "start": True}
    job = str(api.call("POST", "jobs", body)[0]["id"])
    late: dict[str, float] = {}
    with socket(where, cookie, job=job, output=job) as opened:
        while True:
            row = json.loads(opened.recv(timeout=30)).get("job", {}).get(job)
            if row is None:
                continue
            words = row["progress"]["status_message"]
            if words[:1].isdigit():
                late.setdefault(words, (time.time() - float(words)) * 1000)
            if row["state"] in ("completed", "failed", "stopped"):
                return list(late.values())


class _Page:
    """An open page: takes each frame as it comes; the latest change it was told of, and when."""

    def __init__(self, opened: ClientConnection) -> None:
        self.told: dict[str, float] = {}
        self._opened = opened
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self) -> None:
        try:
            while True:
                for row in json.loads(self._opened.recv()).get("jobs", {}).values():
                    self.told.setdefault(row["progress"]["status_message"], time.time())
        except ConnectionClosed:
            return


class _Load:
    """Changes of what the pages show, and ends of jobs that nobody looks at, by SQL."""

    def __init__(self, bench: Bench, jobs: list[str], *, ends: int) -> None:
        self._seconds = bench.sizes.live_seconds
        self._side = bench.side
        self._jobs = [job.replace("-", "") for job in jobs]
        self._ends = ends
        self._over = threading.Event()
        self._rows = 0
        self._written: dict[str, float] = {}

    def run(self, web: psutil.Process, api: Api, pages: list[_Page]) -> dict[str, float]:
        writer = threading.Thread(target=self._write, daemon=True)
        writer.start()
        before, begin = sum(web.cpu_times()[:2]), time.monotonic()
        lists = []
        while time.monotonic() - begin < self._seconds:
            lists.append(api.get(f"jobs?limit={SHOWN}")[1] * 1000)
            self._over.wait(0.25)
        took = time.monotonic() - begin
        spent = sum(web.cpu_times()[:2]) - before
        self._over.set()
        writer.join()
        told = pages[0].told
        late = [(told[words] - at) * 1000 for words, at in self._written.items() if words in told]
        return {
            "CPU %": 100 * spent / took,
            "list ms": median(lists),
            "late p95 ms": percentile(late, 0.95) if late else float("inf"),
            "rows per second": self._rows / took,
        }

    def _write(self) -> None:
        turn, next_change = 0, 0.0
        begin = time.monotonic()
        while not self._over.is_set():
            if time.monotonic() >= next_change:
                next_change = time.monotonic() + 1 / CHANGES_PER_SECOND
                words = f"change {turn} of {self._ends}"
                self._written[words] = time.time()
                self._change(words, self._jobs[turn % len(self._jobs)])
                turn += 1
            due = int((time.monotonic() - begin) * self._ends) - self._rows
            if due > 0:
                self._end(due)
            self._over.wait(BATCH_SECONDS)

    def _change(self, words: str, job: str) -> None:
        with self._side.database() as db:
            db.execute("UPDATE jobs_app_job SET status_message = ? WHERE uuid = ?", (words, job))

    def _end(self, count: int) -> None:
        """History as the engine writes it: so many rows in one commit."""
        moment = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
        row: tuple[Any, ...] = ("0" * 32, "bench", "bench", "success", moment)
        with self._side.database() as db:
            columns = [each[1] for each in db.execute("PRAGMA table_info(jobs_app_execution)")]
            given = dict(zip(("job", "public_id", "name", "status", "finished_at"), row, strict=True))
            blank = {"app", "pool", "language", "reason", "source", "trigger", "cancelled_by"}
            blank |= {"output_preview", "error_type", "error_message"}
            names = [name for name in columns if name in given or name in blank or name.startswith("output_")]
            values = [given.get(name, "" if name in blank else 0) for name in names]
            place = names.index("job")
            rows = [
                [*values[:place], f"{self._rows + number:032x}", *values[place + 1 :], 1]
                for number in range(count)
            ]
            db.executemany(
                f"INSERT INTO jobs_app_execution ({', '.join(names)}, attempt)"  # noqa: S608
                f" VALUES ({', '.join('?' * (len(names) + 1))})",
                rows,
            )
        self._rows += count
