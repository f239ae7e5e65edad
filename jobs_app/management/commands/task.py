"""`task`: tasks from a shell."""

import json
import os
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from jobs_app import task_runs
from jobs_app.commands import crontab, task_lists
from jobs_app.commands.shapes import moment
from runspaces_app.models import Pool
from taskhub.core import console, home, secrets_pipe
from tasks_app import exchange, selectors, switching
from tasks_app.models import Task
from tasks_app.schedule import preview

from .job import Command as JobCommand

LARGEST_DOCUMENT = 16 * 1024 * 1024


class Command(JobCommand):
    help = "List, run, switch, export and import tasks, and have cron drive them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(
            dest="verb", required=True, metavar="list|run|enable|disable|next|export|import|cron"
        )
        shown = verbs.add_parser("list", help="show tasks")
        shown.add_argument("--app", help="only of this app")
        shown.add_argument(
            "--enabled",
            action=BooleanOptionalAction,
            help="only those that are on, or --no-enabled those that are off",
        )
        run = verbs.add_parser(
            "run",
            help="run a task now",
            description="Run a task now, a disabled one too. With --wait or --follow the exit code is the job's: 0 "
            "if it completed, else the script's own exit code, or 1. Ctrl-C ends the waiting, not the job.",
        )
        run.add_argument("task", help="name, App/Name or number")
        run.add_argument(
            "--param",
            action="append",
            metavar="NAME=VALUE",
            help="over the task's own, as text; NAME:=VALUE for a number or other JSON; may be repeated",
        )
        run.add_argument("--wait", action="store_true", help="wait for its end")
        run.add_argument("--follow", action="store_true", help="wait, and print its output as it comes")
        enable = verbs.add_parser("enable", help="let tasks run by their schedules, from now on")
        disable = verbs.add_parser("disable", help="keep tasks from running by their schedules")
        for verb in (enable, disable):
            verb.add_argument("tasks", nargs="+", metavar="task", help="name, App/Name or number")
        due = verbs.add_parser("next", help="show what is due next")
        due.add_argument("task", nargs="?", help="the next runs of this task (default: the next of all)")
        due.add_argument("--count", type=int, default=5)
        out = verbs.add_parser("export", help="write overrides and custom tasks as JSON")
        out.add_argument("file", nargs="?", help="default: standard output")
        out.add_argument("--app", help="only of this app")
        back = verbs.add_parser("import", help="make overrides and custom tasks what such a file says")
        back.add_argument("file", help="- reads standard input")
        back.add_argument("--dry-run", action="store_true", help="only check and count")
        cron = verbs.add_parser("cron", help="have the system's cron run the engine once a minute")
        cron.add_argument("act", choices=("install", "remove", "show"))
        for verb in (shown, run, enable, disable, due, out, back, cron):
            verb.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        acts = {
            "list": self._list, "run": self._run, "enable": self._enable, "disable": self._disable,
            "next": self._next, "export": self._export, "import": self._import, "cron": self._cron,
        }  # fmt: skip
        console.guarded(lambda: acts[verb](options))

    def _list(self, options: dict[str, Any]) -> None:
        task_lists.check_app(options["app"])
        tasks = Task.objects.filter(deleted=False).order_by("app", "name")
        if options["app"] is not None:
            tasks = tasks.filter(app=options["app"])
        if options["enabled"] is not None:
            tasks = tasks.filter(enabled=options["enabled"])
        if options["json"]:
            self.stdout.write(console.as_json(task_lists.shapes(list(tasks))))
            return
        for text in console.table(
            task_lists.TASK_HEADS,
            map(task_lists.cells, tasks),
            soft=("APP", "NAME", "SCHEDULE"),
            spare=("LAST", "SCHEDULE"),
        ):
            self.stdout.write(text)

    def _run(self, options: dict[str, Any]) -> None:
        job = task_runs.run_task(
            task_lists.find(options["task"]), by=console.actor(), owner=None, trigger="manual", source="manual",
            parameters=console.values(options["param"], "--param"), now=timezone.now(),
        )  # fmt: skip
        self.started(job, options)

    def _enable(self, options: dict[str, Any]) -> None:
        self._switch(options, enabled=True)

    def _disable(self, options: dict[str, Any]) -> None:
        self._switch(options, enabled=False)

    def _switch(self, options: dict[str, Any], *, enabled: bool) -> None:
        # All are found before the first is switched: a slip in the last name changes nothing.
        found = [task_lists.find(text) for text in options["tasks"]]
        by, now = console.actor(), timezone.now()
        rows = [switching.switch(task.pk, enabled=enabled, by=by, now=now) for task in found]
        if options["json"]:
            self.stdout.write(console.as_json(task_lists.shapes(rows)))
            return
        for row in rows:
            self.stdout.write(f"{console.plain(str(row))} is {'enabled' if row.enabled else 'disabled'}.")

    def _next(self, options: dict[str, Any]) -> None:
        if not 1 <= options["count"] <= preview.MOST:
            console.misused(f"--count: expected 1 to {preview.MOST}, got {options['count']}")
        if options["task"]:
            self._next_of(task_lists.find(options["task"]), options)
            return
        rows = selectors.coming(most=options["count"])
        if options["json"]:
            self.stdout.write(
                console.as_json([
                    {"task": row.pk, "app": row.app, "name": row.name, "due_at": row.next_due_at} for row in rows
                ])
            )  # fmt: skip
            return
        for text in console.table(
            ("DUE (UTC)", "TASK"), [(moment(row.next_due_at), str(row)) for row in rows]
        ):
            self.stdout.write(text)

    def _next_of(self, task: Task, options: dict[str, Any]) -> None:
        runs = preview.of_task(task, count=options["count"], now=timezone.now())
        stops = task_lists.what_stops(task)
        if options["json"]:
            shown = [{"due_at": run.due_at, "local": run.local.isoformat(), "note": run.note} for run in runs]
            self.stdout.write(
                console.as_json({"enabled": not stops, "timezone": task.timezone, "results": shown})
            )
            return
        if not runs:
            self.stdout.write(task_lists.why_none(task))
            return
        rows = [(moment(run.due_at), f"{run.local:%a %Y-%m-%d %H:%M %Z}", run.note) for run in runs]
        for text in console.table(("DUE (UTC)", task.timezone.upper(), ""), rows):
            self.stdout.write(text)
        if stops:
            self.stderr.write(stops)

    def _export(self, options: dict[str, Any]) -> None:
        task_lists.check_app(options["app"])
        document = json.dumps(
            exchange.export(app=options["app"], now=timezone.now()),
            indent=2,
            ensure_ascii=not options["file"],
        )
        if not options["file"]:
            self.stdout.write(document)
            return
        # Beside its place first: what is there already is not half overwritten.
        target = Path(options["file"])
        part = target.with_name(f"{target.name}.part-{os.getpid()}")
        try:
            part.write_text(document + "\n", encoding="utf-8")
            part.replace(target)
        except OSError as exc:
            part.unlink(missing_ok=True)
            raise CommandError(f"FILE: {target} cannot be written: {exc.strerror}") from exc

    def _import(self, options: dict[str, Any]) -> None:
        file = options["file"]
        try:
            raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        except OSError as exc:
            raise CommandError(
                f"FILE: expected a file that can be read, got {file!r}: {exc.strerror}"
            ) from exc
        document = console.document(raw, "FILE", limit=LARGEST_DOCUMENT)
        dry = options["dry_run"]
        counts = exchange.import_(document, by=console.actor(), now=timezone.now(), dry_run=dry)
        if options["json"]:
            self.stdout.write(console.as_json({**counts._asdict(), "dry_run": dry}))
            return
        would = "would be " if dry else ""
        self.stdout.write(
            f"{counts.created} {would}created, {counts.changed} {would}changed, {counts.unchanged} as they were."
        )

    def _cron(self, options: dict[str, Any]) -> None:
        changed, place = False, home.current()
        if options["act"] == "install":
            if not Pool.objects.exists():
                raise CommandError(
                    "The data folder is not prepared yet: run `taskhub up` once, then this again."
                )
            # Cron opens the file for what the run says before anything could make its folder.
            place.create()
            changed = crontab.install(crontab.line(_command(), place.root), place.root)
            if secrets_pipe.get("TASKHUB_DATABASE_URL"):
                self.stderr.write(
                    "The address of the database may hold a password and is not written into the crontab: "
                    "set TASKHUB_DATABASE_URL at its top."
                )
        elif options["act"] == "remove":
            changed = crontab.remove(place.root)
        lines = crontab.ours(place.root)
        if options["json"]:
            self.stdout.write(
                console.as_json({"changed": changed, "lines": lines, "log": str(crontab.log(place.root))})
            )
            return
        for text in lines:
            self.stdout.write(console.plain(text))
        if not lines:
            self.stdout.write("The crontab holds no line for this data folder.")


def _command() -> list[str]:
    """What starts this very installation, by absolute paths."""
    if Path(sys.argv[0]).name == "manage.py":
        return [sys.executable, str(Path(sys.argv[0]).resolve())]
    return [str(Path(sys.argv[0]).resolve())]
