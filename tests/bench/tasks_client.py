"""Obeys the harness with Django set up: makes tasks and files of tasks, and takes the scheduler's steps."""

import shutil
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402

from jobs_app.engine import scheduler  # noqa: E402
from jobs_app.models import Job  # noqa: E402
from taskhub.core.clock import SYSTEM  # noqa: E402
from taskhub.core.home import Home  # noqa: E402
from tasks_app.definitions import Loader  # noqa: E402
from tasks_app.models import Occurrence, Task  # noqa: E402
from tasks_app.schedule import preview  # noqa: E402
from tests.bench import helper  # noqa: E402

STAMP = """
import os, time
fd = os.open(context.parameters["path"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
os.write(fd, b"%d %d\\n" % (context.parameters["n"], time.time_ns()))
os.close(fd)
"""
MANIFEST = "name: {name}\nversion: 1.0.0\nenabled: true\n"
EXPRESSIONS = (
    ("*/5 * * * *", "UTC"), ("30 2 * * *", "America/New_York"), ("0 0 29 2 *", "Europe/Berlin"),
    ("15 10 L * *", "America/Santiago"), ("0 9-17 * * 1-5", "Australia/Lord_Howe"), ("0 3 13 * 5", "Asia/Tokyo"),
    ("0 0 1 1 *", "Antarctica/Troll"), ("* * * * *", "UTC"),
)  # fmt: skip


def _tasks(count: int, **fields: Any) -> list[Task]:
    defaults = {"app": "", "source": Task.Source.CUSTOM, "language": "python", "code": "None"}
    return [Task(name=f"Task {n}", **(defaults | fields)) for n in range(count)]


def _clear() -> None:
    Job.objects.all().delete()
    Occurrence.objects.all().delete()
    Task.objects.all().delete()


def due(count: int) -> dict[str, Any]:
    """Tasks due in one and the same minute; seconds until each is decided and its job queued."""
    _clear()
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    Task.objects.bulk_create(_tasks(count, schedule="* * * * *", next_due_at=minute), batch_size=500)
    begin = time.monotonic()
    while scheduler.decide(clock=SYSTEM):
        pass
    seconds = time.monotonic() - begin
    return {
        "seconds": seconds,
        "decided": Occurrence.objects.filter(decision="fired").count(),
        "queued": Job.objects.filter(task__isnull=False, state="queued").count(),
    }


def idle(count: int, ticks: int) -> dict[str, Any]:
    """Tasks that are due next year; seconds of each tick that finds nothing, without and with them."""
    _clear()
    without = _ticks(ticks)
    later = datetime.now(UTC) + timedelta(days=365)
    Task.objects.bulk_create(_tasks(count, schedule="0 0 1 1 *", next_due_at=later), batch_size=500)
    return {"without": without, "with": _ticks(ticks)}


def _ticks(count: int) -> list[float]:
    took = []
    for _ in range(count):
        begin = time.perf_counter()
        scheduler.decide(clock=SYSTEM)
        scheduler.next_due(SYSTEM.now())
        took.append(time.perf_counter() - begin)
    return took


def stamped(count: int, pace: float, path: str) -> dict[str, Any]:
    """Tasks that are due once, one each `pace` seconds from soon on; `due`: when, in nanoseconds."""
    _clear()
    first = datetime.now(UTC) + timedelta(seconds=3)
    tasks = _tasks(count, code=STAMP)
    for n, task in enumerate(tasks):
        task.at = task.next_due_at = first + timedelta(seconds=n * pace)
        task.parameters = {"n": n, "path": path}
    Task.objects.bulk_create(tasks, batch_size=500)
    return {"due": [int(task.at.timestamp() * 1_000_000) * 1000 for task in tasks if task.at]}


def files(apps: int, tasks: int) -> dict[str, Any]:
    """Apps with a file of tasks each; seconds until all are rows, and until a change of one file is."""
    root = Home.current().apps
    shutil.rmtree(root, ignore_errors=True)
    for number in range(apps):
        folder = root / f"Bench{number:04}"
        (folder / "config").mkdir(parents=True)
        (folder / "app.yaml").write_text(MANIFEST.format(name=folder.name))
        (folder / "config" / "tasks.yaml").write_text(_file(tasks, "0 3 * * *"))
    loader = Loader()
    begin = time.monotonic()
    _load(loader)
    loaded = time.monotonic() - begin
    rows = Task.objects.filter(app__startswith="Bench").count()
    _load(loader)
    (root / "Bench0007" / "config" / "tasks.yaml").write_text(_file(tasks, "0 4 * * *"))
    begin = time.monotonic()
    _load(loader)
    changed = time.monotonic() - begin
    effective = Task.objects.filter(app="Bench0007", schedule="0 4 * * *").count()
    return {"loaded": loaded, "rows": rows, "changed": changed, "effective": effective}


def _file(tasks: int, schedule: str) -> str:
    return "tasks:\n" + "".join(
        f"  - name: Task{n}\n    schedule: '{schedule}'\n    code: 'None'\n" for n in range(tasks)
    )


def _load(loader: Loader) -> None:
    while loader.step(now=datetime.now(UTC)) or loader.more:
        pass


def previews(count: int) -> dict[str, Any]:
    """Seconds of each look at the next five runs."""
    took = []
    for n in range(count):
        text, zone = EXPRESSIONS[n % len(EXPRESSIONS)]
        begin = time.perf_counter()
        preview.next_runs(text, zone, now=datetime.now(UTC))
        took.append(time.perf_counter() - begin)
    return {"took": took, "vendor": connection.vendor}


if __name__ == "__main__":
    helper.serve({"due": due, "idle": idle, "stamped": stamped, "files": files, "previews": previews})
