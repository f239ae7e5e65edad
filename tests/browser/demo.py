"""Rows that make every page show something: each state, long names, hostile texts, a day of history."""

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from jobs_app.models import Engine, Execution, Job, JobSpec
from runspaces_app.models import Pool, Runspace, RunspaceSample
from runspaces_app.worker.output_folder import folder
from runspaces_app.writing.output import Output
from taskhub.core import audit, ids
from taskhub.core.audit import Actor
from taskhub.core.home import Home
from tasks_app.models import Occurrence, Task
from tasks_app.schedule.cursor import first_due
from tests.support import make_engine, make_runspace, make_task, make_user

MB = 1024 * 1024
MINUTE = timedelta(minutes=1)
HOSTILE = '<img src=x onerror=alert(1)> & "quotes" {{ 7|add:7 }}'
TRACEBACK = """Traceback (most recent call last):
  File "import_orders.py", line 41, in <module>
    total += read(path, strict=True)
  File "import_orders.py", line 18, in read
    raise ValueError(f"line {number}: expected 7 columns, got {len(row)}")
ValueError: line 1184: expected 7 columns, got 6
"""


def fill(now: datetime) -> None:
    """Everything at once, on an empty database; the same for the same `now`."""
    chance = random.Random(7)  # noqa: S311 - the same rows each time
    owner = User.objects.filter(username="admin").first() or make_user("admin", superuser=True)
    anna = make_user("anna", role="author")
    for name in ("default", "django"):
        Pool.objects.get_or_create(name=name, defaults={"kind": "lean" if name == "default" else "django"})
    engine = make_engine(
        now=now - timedelta(hours=31),
        host="node-1",
        pid=4711,
        version="0.1.0",
        home="/srv/taskhub",
        beat_boot=1.0,
    )
    Engine.objects.filter(pk=engine.pk).update(beat_at=now + timedelta(seconds=4))
    runspaces(engine, now, chance)
    tasks = make_tasks(now)
    history(tasks, owner, now, chance)
    jobs(tasks, owner, anna, now)
    number_by_end()
    audit.record(
        actor=Actor("anna", anna.pk, "192.0.2.7"),
        action="task.disable",
        object_type="task",
        object_id=str(tasks[0].pk),
        before={"enabled": True},
        after={"enabled": False},
        now=now - 5 * MINUTE,
    )
    audit.record(
        actor=Actor("mallory", None, "198.51.100.9"),
        action="user.sign_in",
        object_type="user",
        object_id="mallory",
        result="refused",
        message="invalid_login",
        now=now - 9 * MINUTE,
    )


def runspaces(engine: Engine, now: datetime, chance: random.Random) -> None:
    for number in range(1, 9):
        heavy = number == 3
        opened = now - timedelta(hours=30 if number == 5 else number)
        row = make_runspace(
            engine=engine,
            now=opened,
            number=number,
            pid=5000 + number,
            jobs_run=chance.randrange(2, 400),
            affinity="app:Sample" if number % 2 else "owner:1",
            threads=chance.randrange(2, 6),
            handles=chance.randrange(9, 30),
            memory_bytes=(164 if heavy else chance.randrange(18, 60)) * MB,
            availability="busy" if number < 3 else "available",
        )
        Runspace.objects.filter(pk=row.pk).update(seen_at=now)
        samples = [
            RunspaceSample(
                runspace=row,
                at=now - timedelta(seconds=60 * back),
                threads=3,
                handles=14,
                memory_bytes=int(row.memory_bytes * (0.8 + 0.2 * chance.random()) * (1 - back / 400)),
            )
            for back in range(110, 0, -1)
        ]
        RunspaceSample.objects.bulk_create(samples)
    Runspace.objects.filter(number=8).update(
        state="broken", closed_at=now - 20 * MINUTE, close_reason="ended by itself"
    )
    Runspace.objects.filter(number=7).update(
        state="closed", closed_at=now - 40 * MINUTE, close_reason="was idle"
    )


def make_tasks(now: datetime) -> list[Task]:
    said = [
        (
            "DatabaseBackup",
            "Vault",
            "0 3 * * *",
            "Europe/Berlin",
            "Dumps the database and keeps seven of them",
            "success",
        ),
        ("MailQueueFlush", "MailRelay", "*/5 * * * *", "UTC", "Sends what waits in the queue", "success"),
        ("ImportOrders", "Sample", "*/2 * * * *", "UTC", "Reads the orders of the shop", "failed"),
        ("MachinePulse", "Sample", "* * * * *", "UTC", "Says how the machine is", "success"),
        (
            "CertificateExpiryCheckForAllHostsOfTheCompany",
            "WebHostMetrics",
            "15 6 * * 1-5",
            "UTC",
            HOSTILE,
            "terminated",
        ),
        ("QuarterlyReport", "", "", "UTC", "By hand, when the books are closed", ""),
        ("LogRotation", "LogArchiver", "30 */4 * * *", "UTC", "", "success"),
    ]
    for app in {app for _, app, *_ in said if app}:
        place = Home.current().apps / app
        place.mkdir(parents=True, exist_ok=True)
        (place / "app.yaml").write_text(f"name: {app}\nversion: '1'\nenabled: true\n")
    made = []
    for index, (name, app, schedule, zone, description, status) in enumerate(said):
        made.append(
            make_task(
                name,
                app=app,
                schedule=schedule,
                timezone=zone,
                description=description,
                last_status=status,
                last_run_at=now - (index + 1) * 3 * MINUTE if status else None,
                enabled=index != 6,
                next_due_at=first_due(schedule=schedule, at=None, timezone=zone, now=now)
                if index != 6
                else None,
                path=f"scripts/{name.lower()}.py",
                code="",
                max_runtime=900 if index % 2 else None,
                parameters={"days": 7, "api_token": "hidden"},
                environment={"LANG": "C.UTF-8"},
                failure_count=2 if status == "failed" else 0,
                max_failures=5,
            )
        )
    for back in range(12):
        skipped = back in (3, 7)
        Occurrence.objects.create(
            task=made[2],
            due_at=now - 2 * back * MINUTE - MINUTE,
            decision="skipped" if skipped else "fired",
            reason="overlap" if skipped else "",
            decided_at=now - 2 * back * MINUTE - MINUTE,
        )
    return made


def history(tasks: list[Task], owner: User, now: datetime, chance: random.Random) -> None:
    rows = []
    for minute in range(24 * 60, 0, -4):
        ended = now - timedelta(minutes=minute) + timedelta(seconds=chance.randrange(60))
        task = chance.choice(tasks[:5])
        status = chance.choices(["success", "failed", "stopped", "terminated", "lost"], [87, 8, 2, 2, 1])[0]
        failed = status == "failed"
        rows.append(
            Execution(
                job=ids.uuid7(ended),
                public_id=str(ids.uuid7(ended)),
                name=f"Task_{task.name}_{ended:%Y%m%d_%H%M%S}",
                task=task.pk,
                app=task.app,
                pool="default",
                runspace=1 + minute // 4 % 6,
                language="python",
                attempt=1,
                status=status,
                reason={"failed": "error", "stopped": "user", "terminated": "timeout", "lost": "lost"}.get(
                    status, ""
                ),
                source="engine",
                trigger="scheduled",
                owner=owner.pk if minute % 5 == 0 else None,
                due_at=ended,
                started_at=ended - timedelta(seconds=chance.uniform(0.2, 95)),
                finished_at=ended,
                exit_code=None,
                output_bytes=chance.randrange(200, 90_000),
                output_lines=chance.randrange(4, 900),
                error_type="ValueError" if failed else "",
                error_message="line 1184: expected 7 columns, got 6" if failed else "",
                output_preview="\x1b[32mok\x1b[0m 312 rows read\nlast line of it",
            )
        )
    Execution.objects.bulk_create(rows)


def number_by_end() -> None:
    """Executions get their ids in the order they end; what counts or lists a stretch of time relies on it."""
    ended = list(Execution.objects.order_by("finished_at"))
    Execution.objects.all().delete()
    for row in ended:
        row.pk = None
    Execution.objects.bulk_create(ended)


def jobs(tasks: list[Task], owner: User, anna: User, now: datetime) -> None:
    """One of each state; the names of those tests look for are their states."""
    job("waiting for a person", "created", now - 50 * MINUTE, owner=anna)
    job("next in line", "queued", now - 2 * MINUTE, owner=anna)
    job(
        "again after a failure",
        "queued",
        now - 3 * MINUTE,
        owner=anna,
        held="retry",
        attempt=2,
        max_attempts=3,
        available_at=now + MINUTE,
    )
    running = job(
        "Task_ImportOrders_20260310_1158",
        "running",
        now - 2 * MINUTE,
        task=tasks[2],
        app="Sample",
        source="engine",
        trigger="scheduled",
        percent=63,
        status_message="Reading orders of March",
        runspace=1,
    )
    stopping = job(
        "being stopped",
        "running",
        now - 4 * MINUTE,
        owner=owner,
        percent=12,
        status_message="Uploading",
        cancel_requested_at=now - timedelta(seconds=4),
        cancelled_by="admin",
        runspace=2,
    )
    stopped = job(
        "stopped by hand",
        "stopped",
        now - 30 * MINUTE,
        owner=owner,
        percent=40,
        status_message="Cancelled",
        cancelled_by="anna",
    )
    failed = job(
        "Task_ImportOrders_20260310_1142",
        "failed",
        now - 16 * MINUTE,
        task=tasks[2],
        app="Sample",
        source="engine",
        trigger="scheduled",
        percent=71,
        status_message="Failed",
        error_type="ValueError",
        max_attempts=2,
        attempt=2,
        error_message="line 1184: expected 7 columns, got 6",
        error_traceback=TRACEBACK,
        exit_code=1,
    )
    Execution.objects.create(
        job=failed.uuid,
        public_id=failed.public_id,
        name=failed.name,
        attempt=1,
        status="failed",
        reason="error",
        started_at=now - 17 * MINUTE,
        finished_at=now - 16 * MINUTE,
        error_type="ValueError",
        error_message="first try",
    )
    job(
        HOSTILE,
        "completed",
        now - 9 * MINUTE,
        owner=anna,
        language="shell",
        result='{"<b>rows</b>": 312}',
        description=HOSTILE,
        status_message=HOSTILE,
    )
    parent = job(
        "nightly-export",
        "completed",
        now - 7 * MINUTE,
        owner=owner,
        public_id="nightly-export-2026-03-10",
        result='{"files": 3, "rows": 90211, "skipped": []}',
    )
    for number in range(3):
        job(f"part {number}", "completed", now - 6 * MINUTE, owner=owner, parent_id=parent.pk)
    for number, held in ((1, running), (2, stopping)):
        Runspace.objects.filter(number=number).update(job=held.pk)
    closed_by_hand(stopped, now - 29 * MINUTE)
    write_output(running, 1400, now)
    write_output(failed, 240, now, attempt=2)
    write_output(parent, 60, now)


def closed_by_hand(ended: Job, at: datetime) -> None:
    """The end of the closed runspace: a mistyped id, then the right one, and a job that went with it."""
    closed = Runspace.objects.get(number=7)
    for seconds, result, message in ((31, "refused", "the typed id is another one"), (4, "ok", "")):
        audit.record(
            actor=Actor("admin", ended.owner_id, "192.0.2.4"),
            action="runspace.close",
            object_type="runspace",
            object_id=str(closed.pk),
            before={"job": str(ended.pk), "availability": "busy"} if result == "ok" else None,
            result=result,
            message=message,
            now=at - timedelta(seconds=seconds),
        )
    Runspace.objects.filter(pk=closed.pk).update(
        close_requested_at=at - timedelta(seconds=4), closed_at=at, close_reason="closed by a person"
    )


def job(name: str, state: str, began: datetime, **fields: Any) -> Job:
    from tests.support import make_job

    row = make_job(
        name=name,
        state=state,
        now=began,
        code='import csv\n\nrows = list(csv.reader(open("orders.csv")))\nlen(rows)',
        parameters='{"days": 7, "password": "hidden"}',
        environment='{"REPORTS": "/srv/reports"}',
        uuid=ids.uuid7(began),
        **fields,
    )
    assert JobSpec.objects.filter(pk=row.pk).exists()
    if row.finished_at is not None:
        Execution.objects.create(
            job=row.uuid,
            public_id=row.public_id,
            name=row.name,
            attempt=row.attempt,
            language=row.language,
            status={"completed": "success", "failed": "failed", "stopped": "stopped"}[state],
            reason=row.reason,
            started_at=row.started_at,
            finished_at=row.finished_at,
            owner=row.owner_id,
            source=row.source,
            trigger=row.trigger,
            task=row.task_id,
            app=row.app,
        )
    return row


def write_output(row: Job, lines: int, now: datetime, *, attempt: int = 1) -> None:
    """Coloured lines of both streams, with a hostile one and a progress bar among them."""
    path = folder(str(Home.current().output), UUID(str(row.uuid)), attempt)
    output = Output(path, -1)
    clock = int((row.started_at or now).timestamp() * 1_000_000)
    texts = (
        "\x1b[90m12:00:01\x1b[0m \x1b[32mINFO\x1b[0m  read orders-{n:04d}.csv rows={n}",
        "\x1b[90m12:00:01\x1b[0m \x1b[36mDEBUG\x1b[0m flushed segment {n} <size=289KB>",
        "12% of file\r64% of file\rdone with file {n}",
        "plain line {n}: <script>alert('no')</script>",
    )
    written = 0
    for number in range(1, lines + 1):
        error = number % 23 == 0
        text = (
            f"\x1b[1;31mERROR\x1b[0m shard 5 rejected row {number}: mapper_parsing_exception"
            if error
            else texts[number % len(texts)].format(n=number)
        )
        data = (text + "\n").encode()
        clock += 40_000
        written += len(data)
        output.append(2 if error else 1, bytearray(data), len(data), clock)
    output.finish(clock)
    Job.objects.filter(pk=row.pk).update(output_bytes=written, output_lines=lines)
