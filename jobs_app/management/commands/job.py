"""`job`: ad-hoc jobs from a shell."""

import functools
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from jobs_app import lifecycle
from jobs_app.api import job_lists, job_shapes
from jobs_app.commands import following, shapes
from jobs_app.creation import NewJob, create
from jobs_app.errors import JobNotFound
from jobs_app.models import Job
from runspaces_app import languages
from taskhub.core import console

_SHELLS = ("sh", "dash", "bash", "ksh", "mksh")


class Command(BaseCommand):
    help = "Run scripts as jobs, list jobs, follow and cancel them."
    # They would import every page and endpoint, which takes longer than the work.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="run|list|tail|cancel")
        run = verbs.add_parser(
            "run",
            help="start a script as a job",
            description="Start a script as a job. With --wait or --follow the exit code is the job's: 0 if it "
            "completed, else the script's own exit code, or 1. Ctrl-C ends the waiting, not the job.",
        )
        run.add_argument("file", help="the script; - reads it from standard input")
        run.add_argument("--language", help="default: by the first line or the suffix of the file")
        run.add_argument("--id", help="its id (default: a new one)")
        run.add_argument("--name", default="", help="what people will call it")
        run.add_argument(
            "--param",
            action="append",
            metavar="NAME=VALUE",
            help="a parameter, as text; NAME:=VALUE for a number or other JSON; may be repeated",
        )
        run.add_argument("--env", action="append", metavar="NAME=VALUE", help="a variable; may be repeated")
        run.add_argument("--pool", default="default")
        run.add_argument("--priority", type=int, default=0, help="-100 to 100, higher first")
        run.add_argument("--timeout", type=int, help="seconds from its start; -1 for none")
        run.add_argument("--wait", action="store_true", help="wait for its end")
        run.add_argument("--follow", action="store_true", help="wait, and print its output as it comes")
        shown = verbs.add_parser("list", help="show jobs, the newest first")
        shown.add_argument(
            "--state", help="created, queued, running, completed, failed or stopped; several by comma"
        )
        shown.add_argument("--search", help="a part of the name or the id")
        shown.add_argument("--limit", type=int, default=20)
        tail = verbs.add_parser(
            "tail",
            help="print the output of a job, and go on until its end",
            description="Print the output of a job, and go on until its end, through all attempts to come. A "
            "terminal gets colours and no other control characters, a pipe every byte as it was written; what "
            "is kept no more is told on standard error. With --json a line is a range: attempt, offset, "
            "next_offset, gaps, text. The exit code says nothing of how the job ended.",
        )
        tail.add_argument("id")
        tail.add_argument("--offset", type=int, default=0, help="begin at this byte of its latest attempt")
        tail.add_argument("--no-follow", action="store_true", help="print what is there, and end")
        cancel = verbs.add_parser("cancel", help="ask a job to stop")
        cancel.add_argument("id")
        cancel.add_argument("--now", action="store_true", help="without the time to end by itself")
        cancel.add_argument("--wait", action="store_true", help="until it has ended")
        for verb in (run, shown, tail, cancel):
            verb.add_argument("--json", action="store_true", help="answer in JSON")

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        act = {"run": self._run, "list": self._list, "tail": self._tail, "cancel": self._cancel}[verb]
        console.guarded(lambda: act(options))

    def _run(self, options: dict[str, Any]) -> None:
        code, name = _source(options["file"])
        job = create(
            NewJob(
                language=options["language"] or _language(options["file"], code),
                code=code,
                name=options["name"] or name,
                public_id=options["id"],
                parameters=console.values(options["param"], "--param"),
                environment=console.pairs(options["env"], "--env"),
                pool=options["pool"],
                priority=options["priority"],
                timeout=options["timeout"],
            ),
            owner=None, source="manual", trigger="manual", start=True, by=console.actor(), now=timezone.now(),
        )  # fmt: skip
        self.started(job, options)

    def started(self, job: Job, options: dict[str, Any]) -> None:
        """Say which job it is, or wait for its end if that was asked for."""
        if options["wait"] or options["follow"]:
            self.finish(job, follow=options["follow"], as_json=options["json"])
        elif options["json"]:
            self.stdout.write(console.as_json(shapes.detail(job.pk)))
        else:
            self.stdout.write(f"{job.public_id}")

    def _list(self, options: dict[str, Any]) -> None:
        if not 1 <= options["limit"] <= 500:
            console.misused(f"--limit: expected 1 to 500, got {options['limit']}")
        query = {name: options[name] for name in ("state", "search") if options[name]}
        rows = job_shapes.lines(job_lists.jobs(Job.objects.all(), query))[: options["limit"]]
        if options["json"]:
            self.stdout.write(console.as_json([shapes.line(job) for job in rows]))
            return
        for text in console.table(
            shapes.JOB_HEADS, map(shapes.job_cells, rows), soft=("NAME",), spare=("OWNER", "DONE", "STARTED")
        ):
            self.stdout.write(text)

    def _tail(self, options: dict[str, Any]) -> None:
        job = _job(options["id"])
        if options["offset"] < 0:
            console.misused(f"--offset: expected 0 or more, got {options['offset']}")
        tail = functools.partial(
            following.Tail, job.pk, attempt=job.attempt, offset=options["offset"], out=sys.stdout,
            notes=sys.stderr, as_json=options["json"],
        )  # fmt: skip
        if options["no_follow"]:
            tail().print_new(job.attempt)
            return
        ended = self.wait(job, lambda bar: tail(before=bar.clear))
        if not options["json"]:
            sys.stderr.write(console.plain(following.outcome(ended)) + "\n")

    def _cancel(self, options: dict[str, Any]) -> None:
        job = _job(options["id"])
        job = lifecycle.request_cancel(
            job.pk, by=console.actor(), kill_now=options["now"], override=options["now"], now=timezone.now()
        )
        if options["wait"]:
            job = self.wait(job)
        if options["json"]:
            self.stdout.write(console.as_json(shapes.detail(job.pk)))
        else:
            self.stdout.write("It is stopped." if job.is_terminal else "It was asked to stop.")

    def finish(self, job: Job, *, follow: bool, as_json: bool) -> None:
        """Wait for the end of a job and leave with its outcome."""
        tail = functools.partial(
            following.Tail, job.pk, attempt=job.attempt, out=sys.stdout, notes=sys.stderr
        )
        ended = self.wait(job, (lambda bar: tail(before=bar.clear)) if follow and not as_json else None)
        if as_json:
            self.stdout.write(console.as_json(shapes.detail(ended.pk) | {"result": _result(ended)}))
        else:
            sys.stderr.write(console.plain(following.outcome(ended)) + "\n")
            if not follow and ended.result not in (None, "null"):
                self.stdout.write(console.plain(ended.result or ""))
        if code := following.exit_code(ended):
            sys.stdout.flush()
            sys.exit(code)

    def wait(self, job: Job, tail: Callable[[console.Bar], following.Tail] | None = None) -> Job:
        """Wait for the end of a job; Ctrl-C ends the waiting alone."""
        try:
            return following.wait(job.pk, tail=tail)
        except KeyboardInterrupt:
            sys.stderr.write(f"\nThe job goes on; `job cancel {job.public_id}` stops it.\n")
            sys.exit(130)
        except Job.DoesNotExist as exc:
            raise CommandError(f"job {job.public_id}: it was removed before it ended") from exc


def _result(job: Job) -> Any:
    return None if job.result is None else json.loads(job.result)


def _job(text: str) -> Job:
    found = Job.objects.filter(public_id=text.lower()).first()
    if found is None and (uuid := job_lists.as_uuid(text)) is not None:
        found = Job.objects.filter(pk=uuid).first()
    if found is None:
        raise JobNotFound(f"ID: expected the id of a job, got {text[:80]!r}")
    return found


def _source(file: str) -> tuple[str, str]:
    """The text of a script, and a name for it."""
    try:
        raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as exc:
        raise CommandError(f"FILE: expected a file that can be read, got {file!r}: {exc.strerror}") from exc
    try:
        return raw.decode("utf-8"), "" if file == "-" else Path(file).name
    except UnicodeDecodeError as exc:
        raise CommandError(f"FILE: expected text in UTF-8, got {file!r}: {exc.reason}") from exc


def _language(file: str, code: str) -> str:
    """By the first line, else by the suffix.

    Raises:
        CommandError: neither tells.
    """
    first = code.partition("\n")[0]
    if first.startswith("#!"):
        words = first[2:].split()
        program = Path(words[0]).name if words else ""
        if program == "env" and len(words) > 1:
            program = Path(words[1]).name
        if program.startswith("python"):
            return "python"
        return "shell" if program in _SHELLS else "executable"
    suffix = Path(file).suffix.lower()
    for language in languages.all():
        if suffix and language.suffix == suffix:
            return language.name
    known = ", ".join(language.name for language in languages.all())
    raise CommandError(
        f"--language: expected one of {known}; neither first line nor suffix tells, got {file!r}"
    )
