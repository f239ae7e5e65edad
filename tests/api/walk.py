"""Every address of the API with what each caller gets: one table."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.urls import URLPattern, URLResolver, get_resolver

from jobs_app.states import JobState
from runspaces_app.models import RunspaceSample
from taskhub.core import ids, tokens
from taskhub.core.models import AuditEntry
from tasks_app.definitions import Loader
from tasks_app.models import Occurrence, Task, TaskOverride
from tests.support import (
    NOON,
    make_engine,
    make_execution,
    make_job,
    make_pool,
    make_runspace,
    make_task,
    make_user,
)

CALLERS = ("anonymous", "no role", "viewer", "operator", "author", "system_admin")


class World:
    """Objects of somebody else, made when a path asks for them."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.owner = make_user()
        make_pool("default")

    def path(self, template: str) -> str:
        """The address with the ids of fresh objects in place of their names."""
        path = template
        for name in (
            "created",
            "running",
            "ended",
            "execution",
            "engine",
            "task",
            "deleted",
            "filed",
            "runspace",
            "token",
            "entry",
            "app",
        ):
            if f"<{name}>" in path:
                path = path.replace(f"<{name}>", str(getattr(self, name)()))
        return path

    def _job(self, state: JobState) -> UUID:
        return make_job(state=state, owner=self.owner, uuid=ids.uuid7(), language="shell", code="true").uuid

    def created(self) -> UUID:
        return self._job(JobState.CREATED)

    def running(self) -> UUID:
        return self._job(JobState.RUNNING)

    def ended(self) -> UUID:
        return self._job(JobState.COMPLETED)

    def execution(self) -> int:
        return make_execution(owner=self.owner.pk, task=None).pk

    def engine(self) -> int:
        return make_engine().pk

    def task(self) -> int:
        task = make_task(
            language="shell", code="true", schedule="*/5 * * * *", tags=["a"], parameters={"n": 1}
        )
        Occurrence.objects.create(
            task=task, due_at=NOON, decision="skipped", reason="disabled", decided_at=NOON
        )
        make_execution(task=task.pk)
        return task.pk

    def _filed(self, **override: Any) -> Task:
        """A task that the file of an app of its own defines."""
        app = self.app()
        file = self.home / "apps" / app / "config" / "tasks.yaml"
        file.parent.mkdir()
        file.write_text(f"[{{name: {app} sweep, language: shell, code: 'true', schedule: '0 * * * *'}}]")
        if override:
            TaskOverride.objects.create(app=app, name=f"{app} sweep", **override)
        Loader().step(now=NOON)
        return Task.objects.get(app=app)

    def filed(self) -> int:
        return self._filed().pk

    def deleted(self) -> int:
        return self._filed(deleted=True).pk

    def runspace(self) -> int:
        runspace = make_runspace()
        RunspaceSample.objects.create(runspace=runspace, at=NOON, memory_bytes=1, threads=1, handles=1)
        return runspace.pk

    def token(self) -> int:
        return tokens.create(self.owner, name="theirs", now=NOON)[0].pk

    def entry(self) -> int:
        return AuditEntry.objects.create(at=NOON, actor="somebody", action="job.cancel").pk

    def app(self) -> str:
        name = f"App{uuid4().hex[:8]}"
        folder = self.home / "apps" / name
        folder.mkdir(parents=True)
        (folder / "app.yaml").write_text(f"name: {name}\nversion: 1.0.0\nenabled: true\n")
        return name


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        expected: status for each of CALLERS.
    """

    method: str
    route: str
    path: str
    expected: tuple[int, ...]
    body: Callable[[str], Any] | None = None


def row(method: str, route: str, path: str, expected: str, body: Any = None) -> Row:
    statuses = tuple(int(word) for word in expected.split())
    assert len(statuses) == len(CALLERS)
    given = body if callable(body) or body is None else (lambda path: body)
    return Row(method, route, path, statuses, given)


SEEN = "401 200 200 200 200 200"
SEEN_BY_ROLES = "401 403 200 200 200 200"
CODE_SEEN = "401 403 403 403 200 200"
THEIRS = "401 404 200 200 200 200"
ADMIN_SEES = "401 403 403 403 403 200"
V1 = "/api/v1/"

TABLE = [
    row("GET", "api-root", "/api/v1", SEEN),
    row("GET", "jobs", V1 + "jobs", SEEN),
    row("POST", "jobs", V1 + "jobs", "401 403 403 403 201 201", {"language": "shell", "code": "true"}),
    row("POST", "jobs", V1 + "jobs", "401 403 403 403 202 202", {"language": "shell", "code": "true", "start": True}),
    row("GET", "job", V1 + "jobs/<ended>", THEIRS),
    row("PATCH", "job", V1 + "jobs/<created>", "401 404 403 200 200 200", {"name": "other"}),
    row("DELETE", "job", V1 + "jobs/<ended>", "401 404 403 204 204 204"),
    row("POST", "job-start", V1 + "jobs/<created>/start", "401 404 403 202 202 202"),
    row("POST", "job-start", V1 + "jobs/<ended>/start", "401 404 403 200 200 200"),
    row("POST", "job-cancel", V1 + "jobs/<created>/cancel", "401 404 403 200 200 200"),
    row("POST", "job-cancel", V1 + "jobs/<running>/cancel", "401 404 403 202 202 202"),
    row("POST", "job-cancel", V1 + "jobs/<running>/cancel", "401 404 403 403 403 202", {"now": True}),
    row("POST", "job-stop", V1 + "jobs/<running>/stop", "401 404 403 202 202 202"),
    row("POST", "job-remove", V1 + "jobs/<ended>/remove", "401 404 403 204 204 204"),
    row("POST", "job-restart", V1 + "jobs/<ended>/restart", "401 404 403 202 202 202"),
    row("GET", "job-result", V1 + "jobs/<ended>/result", THEIRS),
    row("GET", "job-output", V1 + "jobs/<ended>/output", THEIRS),
    row("GET", "job-output", V1 + "jobs/<ended>/output?line=1&lines=10", THEIRS),
    row("GET", "job-output-search", V1 + "jobs/<ended>/output/search?q=x", THEIRS),
    row("GET", "job-output-download", V1 + "jobs/<ended>/output/download", THEIRS),
    row("GET", "job-events", V1 + "jobs/<ended>/events", THEIRS),
    row("GET", "executions", V1 + "executions", SEEN),
    row("GET", "execution", V1 + "executions/<execution>", THEIRS),
    row("GET", "live", V1 + "live?topics=overview,job:<running>,output:<running>", SEEN),
    row("GET", "engines", V1 + "engines", SEEN_BY_ROLES),
    row("GET", "engine", V1 + "engines/<engine>", SEEN_BY_ROLES),
    row("GET", "tasks", V1 + "tasks", SEEN_BY_ROLES),
    row("POST", "tasks", V1 + "tasks", "401 403 403 403 201 201",
        lambda path: {"name": f"New {uuid4()}", "code": "1", "schedule": "@daily"}),
    row("GET", "tasks-preview", V1 + "tasks/preview?cron=0+3+*+*+*&timezone=Europe/Berlin", SEEN_BY_ROLES),
    row("GET", "tasks-export", V1 + "tasks/export", CODE_SEEN),
    row("POST", "tasks-import", V1 + "tasks/import", CODE_SEEN, {"tasks": [{"name": "Later", "enabled": False}]}),
    row("POST", "tasks-import", V1 + "tasks/import?dry_run=true", CODE_SEEN, {"tasks": []}),
    row("GET", "task", V1 + "tasks/<task>", SEEN_BY_ROLES),
    row("GET", "task", V1 + "tasks/<deleted>", SEEN_BY_ROLES),
    row("PUT", "task", V1 + "tasks/<filed>", CODE_SEEN, {"schedule": "5 * * * *"}),
    row("PATCH", "task", V1 + "tasks/<filed>", CODE_SEEN, {"environment": {"A": "1"}}),
    row("DELETE", "task", V1 + "tasks/<task>", "401 403 403 204 204 204"),
    row("POST", "task-run", V1 + "tasks/<task>/run", "401 403 403 202 202 202"),
    row("POST", "task-run", V1 + "tasks/<task>/run", "401 403 403 403 202 202", {"parameters": {"n": 2}}),
    row("POST", "task-run", V1 + "tasks/<deleted>/run", "401 403 403 409 409 409"),
    row("POST", "task-enable", V1 + "tasks/<task>/enable", "401 403 403 200 200 200"),
    row("POST", "task-disable", V1 + "tasks/<task>/disable", "401 403 403 200 200 200"),
    row("POST", "task-duplicate", V1 + "tasks/<task>/duplicate", "401 403 403 403 201 201"),
    row("POST", "task-copy", V1 + "tasks/<filed>/copy", "401 403 403 403 201 201", {"targetApp": ""}),
    row("POST", "task-restore", V1 + "tasks/<deleted>/restore", "401 403 403 200 200 200"),
    row("POST", "task-reset", V1 + "tasks/<filed>/reset", CODE_SEEN),
    row("POST", "task-test", V1 + "tasks/<task>/test", CODE_SEEN),
    row("GET", "task-export", V1 + "tasks/<task>/export", CODE_SEEN),
    row("GET", "task-history", V1 + "tasks/<task>/history", SEEN_BY_ROLES),
    row("GET", "task-occurrences", V1 + "tasks/<task>/occurrences", SEEN_BY_ROLES),
    row("GET", "task-next-runs", V1 + "tasks/<task>/next-runs", SEEN_BY_ROLES),
    row("GET", "runspaces", V1 + "runspaces", SEEN_BY_ROLES),
    row("GET", "runspace", V1 + "runspaces/<runspace>", SEEN_BY_ROLES),
    row("GET", "runspace-samples", V1 + "runspaces/<runspace>/samples", SEEN_BY_ROLES),
    row("POST", "runspace-close", V1 + "runspaces/<runspace>/close", "401 403 403 403 403 202",
        lambda path: {"force": True, "confirmation": path.split("/")[4]}),
    row("GET", "pools", V1 + "pools", SEEN_BY_ROLES),
    row("GET", "pool", V1 + "pools/default", SEEN_BY_ROLES),
    row("PATCH", "pool", V1 + "pools/default", "401 403 403 403 403 200", {"max_runspaces": 5}),
    row("GET", "languages", V1 + "languages", SEEN_BY_ROLES),
    row("GET", "language", V1 + "languages/shell", SEEN_BY_ROLES),
    row("POST", "language-check", V1 + "languages/shell/check", "401 403 403 403 200 200", {"code": "true"}),
    row("GET", "apps", V1 + "apps", SEEN_BY_ROLES),
    row("GET", "app", V1 + "apps/<app>", SEEN_BY_ROLES),
    row("GET", "audit", V1 + "audit", ADMIN_SEES),
    row("GET", "audit-entry", V1 + "audit/<entry>", ADMIN_SEES),
    row("GET", "settings", V1 + "settings", ADMIN_SEES),
    row("GET", "setting", V1 + "settings/default_timeout", ADMIN_SEES),
    row("PATCH", "setting", V1 + "settings/default_timeout", ADMIN_SEES, {"value": 60}),
    row("POST", "setting-reset", V1 + "settings/default_timeout/reset", ADMIN_SEES),
    row("GET", "tokens", V1 + "tokens", SEEN),
    row("POST", "tokens", V1 + "tokens", "401 201 201 201 201 201", {"name": "mine"}),
    row("GET", "token", V1 + "tokens/<token>", "401 404 404 404 404 200"),
    row("DELETE", "token", V1 + "tokens/<token>", "401 404 404 404 404 204"),
    row("GET", "health-live", "/health/live", "200 200 200 200 200 200"),
    row("GET", "health-ready", "/health/ready", "200 200 200 200 200 200"),
    row("GET", "metrics", "/metrics", SEEN_BY_ROLES),
    row("GET", "api-schema", "/api/schema/", SEEN),
    row("GET", "api-docs", "/api/docs/", "302 200 200 200 200 200"),
    row("GET", "api-nothing", "/api/", "404 404 404 404 404 404"),
    row("GET", "api-nowhere", "/api/v1/nothing/here", "404 404 404 404 404 404"),
]  # fmt: skip
# Not in the OpenAPI document: the document itself, and what is there only to refuse.
UNDOCUMENTED = frozenset({"api-schema", "api-docs", "api-nothing", "api-nowhere"})


def addresses() -> dict[str, set[str]]:
    """The methods of every REST address of the resolver, by the name of its route; slashed twins left out."""
    found: dict[str, set[str]] = {}

    def look(patterns: list[URLPattern | URLResolver]) -> None:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                look(pattern.url_patterns)
            elif (cls := getattr(pattern.callback, "cls", None)) is not None:
                name = str(pattern.name)
                if not name.endswith("-slash"):
                    found.setdefault(name, set()).update(set(cls().allowed_methods) - {"OPTIONS"})

    look(get_resolver().url_patterns)
    return found


def caller(name: str) -> User | None:
    if name == "anonymous":
        return None
    return make_user(role=None if name == "no role" else name)
