"""Reading exactly what pages show, in the shapes of the REST API."""

import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F, QuerySet

from jobs_app import output
from jobs_app.api import job_shapes
from jobs_app.models import Job
from jobs_app.states import TERMINAL, JobState
from runspaces_app.api.runspace_views import RunspaceShape
from runspaces_app.models import Runspace
from tasks_app.api.task_shapes import TaskShape
from tasks_app.api.task_views import running
from tasks_app.models import Task

from .entries import GONE, Entry
from .overview import Overview, at
from .topics import OVERVIEW, Key

# So long after a job's end its output writer may still say that nothing more comes.
DRAIN = timedelta(seconds=10)
# Counting over everything takes at most this part of the time.
OVERVIEW_SHARE = 0.1
_BATCH = 500


class _Printing(NamedTuple):
    """An attempt whose output is shown."""

    uuid: UUID
    attempt: int
    state: str
    finished_at: datetime | None
    owner: int | None


class Reader:
    """Reads things again and again, and makes anew only what has changed since.

    Attributes:
        stale: the overview was left out the last time, to be read a little later.
    """

    def __init__(self) -> None:
        self.stale = False
        self._entries: dict[Key, Entry] = {}
        self._printing: dict[Key, _Printing] = {}
        self._told: dict[UUID, dict[str, Any]] = {}
        self._overview = Overview()
        self._overview_from = 0.0

    def forget_all_but(self, keys: Iterable[Key]) -> None:
        kept = set(keys)
        self._entries = {key: entry for key, entry in self._entries.items() if key in kept}
        self._printing = {key: each for key, each in self._printing.items() if key in kept}
        shown = {each.uuid for key, each in self._printing.items() if key.topic == "job"}
        self._told = {uuid: told for uuid, told in self._told.items() if uuid in shown}

    def read(self, keys: Iterable[Key], *, now: datetime) -> dict[Key, Entry]:
        """These things as the database has them now."""
        by_topic: dict[str, list[Key]] = {}
        for key in keys:
            by_topic.setdefault(key.topic, []).append(key)
        found: dict[Key, Entry] = {}
        found |= self._lines(by_topic.get("jobs", []), by_topic.get("output", []), now)
        found |= self._details(by_topic.get("job", []))
        found |= self._runspaces(by_topic.get("runspaces", []), now)
        found |= self._tasks(by_topic.get("tasks", []))
        if OVERVIEW in by_topic:
            found |= self._whole(now)
        self._entries |= found
        return found

    def look(self, *, now: datetime) -> dict[Key, Entry]:
        """What may have changed without the database: sizes of outputs, and what the clock decides."""
        found: dict[Key, Entry] = {}
        for key, printing in self._printing.items():
            if key.topic == "output" and _may_grow(printing, now):
                found[key] = self._output(key, printing)
            elif key.topic == "job" and printing.state == JobState.RUNNING:
                row = self._entries[key].row or {}
                now_written = output.stat(printing.uuid, printing.attempt)
                size = {name: getattr(now_written, name) for name in ("bytes", "lines", "dropped")}
                found[key] = self._kept(key, row | {"output": size}, owner=printing.owner)
        whole = Key(OVERVIEW, "")
        known = self._entries.get(whole)
        if known is not None and known.row is not None:
            found[whole] = self._kept(whole, at(known.row, now))
        self._entries |= found
        return found

    # Jobs

    def _lines(self, jobs: list[Key], outputs: list[Key], now: datetime) -> dict[Key, Entry]:
        if not jobs and not outputs:
            return {}
        rows = _jobs_called(
            {key.id for key in (*jobs, *outputs)}, job_shapes.lines(Job.objects.all()).order_by()
        )
        found: dict[Key, Entry] = {}
        for key in jobs:
            job = rows.get(key.id.lower())
            found[key] = GONE if job is None else self._line(key, job)
        for key in outputs:
            job = rows.get(key.id.lower())
            if job is None:
                self._printing.pop(key, None)
                found[key] = GONE
                continue
            before = self._printing.get(key)
            self._printing[key] = printing = _printing(job)
            known = self._entries.get(key)
            if before == printing and known is not None and not _may_grow(printing, now):
                found[key] = known
            else:
                found[key] = self._output(key, printing)
        return found

    def _line(self, key: Key, job: Job) -> Entry:
        mark = _columns(job)
        known = self._entries.get(key)
        if known is not None and known.mark == mark:
            return known
        return Entry(dict(job_shapes.JobLine(job).data), mark=mark, owner=job.owner_key)  # type: ignore[attr-defined] # annotated

    def _details(self, keys: list[Key]) -> dict[Key, Entry]:
        if not keys:
            return {}
        rows = _jobs_called(
            {key.id for key in keys}, job_shapes.named(Job.objects.defer("result")).order_by()
        )
        found: dict[Key, Entry] = {}
        for key in keys:
            job = rows.get(key.id.lower())
            if job is None:
                self._printing.pop(key, None)
                found[key] = GONE
                continue
            printing = self._printing[key] = _printing(job)
            row = job_shapes.without_code(job)
            if key.code:
                row |= self._told_to(job)
            found[key] = self._kept(key, row, owner=printing.owner)
        return found

    def _told_to(self, job: Job) -> dict[str, Any]:
        """Up to a megabyte, and written once: read once."""
        if job.uuid not in self._told:
            self._told[job.uuid] = job_shapes.told(job)
        return self._told[job.uuid]

    def _output(self, key: Key, printing: _Printing) -> Entry:
        size = output.stat(printing.uuid, printing.attempt)
        row = {
            "attempt": printing.attempt,
            "bytes": size.bytes,
            "lines": size.lines,
            "dropped": size.dropped,
            "complete": size.complete or printing.state in TERMINAL,
        }
        return self._kept(key, row, owner=printing.owner)

    # Others

    def _runspaces(self, keys: list[Key], now: datetime) -> dict[Key, Entry]:
        if not keys:
            return {}
        rows = Runspace.objects.in_bulk([int(key.id) for key in keys])
        found: dict[Key, Entry] = {}
        for key in keys:
            runspace = rows.get(int(key.id))
            if runspace is None:
                found[key] = GONE
                continue
            row = dict(RunspaceShape(runspace, context={"now": now}).data)
            # Its age changes always; readers count it on from `opened_at`.
            mark = row | {"age": None}
            found[key] = self._kept(key, row, mark=mark)
        return found

    def _tasks(self, keys: list[Key]) -> dict[Key, Entry]:
        if not keys:
            return {}
        numbers = [int(key.id) for key in keys]
        rows, run = Task.objects.in_bulk(numbers), running(numbers)
        found: dict[Key, Entry] = {}
        for key in keys:
            task = rows.get(int(key.id))
            if task is None:
                found[key] = GONE
                continue
            known, mark = self._entries.get(key), (_columns(task), task.pk in run)
            if known is None or known.mark != mark:
                shape = TaskShape(task, context={"running": run, "with_code": key.code})
                known = Entry(dict(shape.data), mark=mark)
            found[key] = known
        return found

    def _whole(self, now: datetime) -> dict[Key, Entry]:
        key = Key(OVERVIEW, "")
        started = time.monotonic()
        known = self._entries.get(key)
        if known is not None and started < self._overview_from:
            self.stale = True
            return {key: known}
        row = self._overview.read(now)
        ended = time.monotonic()
        self._overview_from = ended + (ended - started) / OVERVIEW_SHARE
        self.stale = False
        return {key: self._kept(key, row)}

    def _kept(self, key: Key, row: dict[str, Any], *, mark: object = None, owner: int | None = None) -> Entry:
        """The entry of before if nothing in it has changed, else a new one."""
        compared = row if mark is None else mark
        known = self._entries.get(key)
        if known is not None and known.mark == compared and known.owner == owner:
            return known
        return Entry(row, mark=compared, owner=owner)


def _jobs_called(ids: set[str], jobs: "QuerySet[Job]") -> dict[str, Job]:
    """The jobs of these ids, compared without case, or uuids; an id comes before a uuid."""
    jobs = jobs.annotate(owner_key=F("owner_id"))
    wanted = {id.lower() for id in ids}
    found: dict[str, Job] = {
        job.public_id: job for part in _parts(sorted(wanted)) for job in jobs.filter(public_id__in=part)
    }
    uuids = {text: uuid for text in wanted - found.keys() if (uuid := _uuid(text)) is not None}
    for part in _parts(sorted(uuids)):
        rows = {job.pk: job for job in jobs.filter(pk__in=[uuids[text] for text in part])}
        found |= {text: rows[uuids[text]] for text in part if uuids[text] in rows}
    return found


def _parts(ids: list[str]) -> Iterable[list[str]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _columns(row: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(row).items() if name != "_state"}


def _printing(job: Job) -> _Printing:
    return _Printing(job.uuid, job.attempt, job.state, job.finished_at, job.owner_key)  # type: ignore[attr-defined] # annotated


def _may_grow(printing: _Printing, now: datetime) -> bool:
    return printing.finished_at is None or now - printing.finished_at < DRAIN
