"""Pages in a real browser over a long history: when the first of them is to be seen."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number
from tests.bench.processes import BenchError
from tests.bench.taskhub_side import PASSWORD, TaskhubSide

PAINT_MS = 1000.0
# From the navigation on: the end of the answer, and the first content on the screen.
PAINTED = """() => {
  const [load] = performance.getEntriesByType("navigation")
  const [paint] = performance.getEntriesByName("first-contentful-paint")
  return paint && load.loadEventEnd ? { paint: paint.startTime, server: load.responseEnd } : null
}"""


def measure(bench: Bench) -> list[Row]:
    """One page after the other in a browser that was just started: the first one fills its cache."""
    sizes = bench.sizes
    bench.side.fresh()
    runs: dict[str, list[float]] = {}
    answers: dict[str, list[float]] = {}
    try:
        client = bench.side.client()
        made = client.ask(
            "fixture", jobs=sizes.list_jobs, executions=sizes.list_executions, tasks=sizes.page_tasks
        )
        client.stop()
        bench.say(f"  rows made in {number(made['seconds'])} s")
        bench.side.start_up()
        with _signed_in(bench.side) as browser:
            # The server's first answer of each kind reads templates, which it keeps.
            browser.opened(_paths(bench.side))
            for run in range(bench.runs):
                for name, seen in browser.opened(_paths(bench.side)).items():
                    runs.setdefault(name, []).append(seen["paint"])
                    answers.setdefault(name, []).append(seen["server"])
                    bench.say(
                        f"  run {run + 1}: {name} painted after {number(seen['paint'])} ms,"
                        f" answered after {number(seen['server'])} ms"
                    )
    finally:
        bench.side.stop_all()
    seen_by = {name: median(values) for name, values in runs.items()}
    return [
        Row(
            measure=(
                f"paint: pages over {sizes.page_tasks:,} tasks, {sizes.list_jobs:,} jobs, "
                f"{sizes.list_executions:,} executions, in Chromium; the first with an empty cache"
            ),
            goal=f"first content of each < {PAINT_MS:g} ms",
            taskhub=", ".join(
                f"{name} {number(value)} ms ({number(median(answers[name]))} until answered)"
                for name, value in seen_by.items()
            ),
            checks=[Check(f"ms {name}", value, PAINT_MS, at_least=False) for name, value in seen_by.items()],
            runs=runs | {f"{name} answered": values for name, values in answers.items()},
        )
    ]


def _paths(side: TaskhubSide) -> dict[str, str]:
    """The pages; the task is one that ran often, the job one that failed."""
    with side.database() as db:
        (task,) = db.execute("SELECT max(task) FROM jobs_app_execution").fetchone()
        (job,) = db.execute("SELECT max(uuid) FROM jobs_app_job WHERE state = 'failed'").fetchone()
    return {
        "first": "/admin/",
        "overview": "/admin/",
        "tasks": "/admin/tasks_app/task/",
        "jobs": "/admin/jobs_app/job/",
        "history": "/admin/jobs_app/execution/",
        "task": f"/admin/tasks_app/task/{task}/change/",
        "job": f"/admin/jobs_app/job/{job}/change/",
    }


class _Browser:
    """Opens pages as somebody who has signed in before and has just started his browser."""

    def __init__(self, chromium: Any, address: str) -> None:
        self._chromium = chromium
        self._address = address
        context = chromium.new_context()
        page = context.new_page()
        page.goto(f"{address}/admin/")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        self._state = context.storage_state()
        context.close()

    def opened(self, paths: dict[str, str]) -> dict[str, dict[str, float]]:
        """The pages one after the other, in a browser that has none of their files."""
        context = self._chromium.new_context(
            storage_state=self._state, viewport={"width": 1440, "height": 900}
        )
        try:
            page = context.new_page()
            return {name: self._painted(page, path) for name, path in paths.items()}
        finally:
            context.close()

    def _painted(self, page: Any, path: str) -> dict[str, float]:
        answer = page.goto(f"{self._address}{path}", wait_until="load")
        if answer is None or answer.status != 200:
            raise BenchError(f"GET {path}: expected 200, got {answer and answer.status}")
        seen: dict[str, float] = page.wait_for_function(PAINTED, timeout=30_000).json_value()
        return seen


@contextmanager
def _signed_in(side: TaskhubSide) -> Iterator[_Browser]:
    from playwright.sync_api import sync_playwright

    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise BenchError("no Chromium on PATH (Debian: apt-get install chromium)")
    with tempfile.TemporaryDirectory() as downloads, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=found, args=["--no-sandbox", "--disable-gpu"], downloads_path=downloads
        )
        try:
            yield _Browser(chromium, f"http://127.0.0.1:{side.port}")
        finally:
            chromium.close()
