"""Tasks: list, read, switch on and off, due times decided and due times to come."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.api.endpoint import Endpoint, number
from taskhub.core.api.fields import NoBody
from taskhub.core.api.idempotency import once
from taskhub.core.api.pages import Pages
from taskhub.core.api.queries import OneOf, Query, SwitchFilter, TextFilter, WholeFilter
from tasks_app.errors import TaskNotFound
from tasks_app.models import Occurrence, Task
from tasks_app.schedule import preview, zones
from tasks_app.switching import switch

from .task_shapes import NextRuns, OccurrenceShape, TaskShape

TASK_ID = {"id": "Number of the task."}


class TaskQuery(Query):
    """Filters of the list of tasks; all that are given must hold."""

    app = TextFilter(max_length=64, help_text="Name of the app; `-` for the data folder's own tasks.")
    enabled = SwitchFilter()
    status = OneOf(["success", "failed", "lost", "terminated", "stopped", "running", "never"],
                   help_text="How it ended last; `running` now, or `never` run.")  # fmt: skip
    search = TextFilter(help_text="Part of name or description, without case.")
    tag = TextFilter(max_length=64)


class OccurrenceQuery(Query):
    """Filters of the due times of a task."""

    decision = OneOf(Occurrence.Decision.values)
    reason = TextFilter(max_length=32)


class NextRunsQuery(Query):
    """How many due times to tell."""

    count = WholeFilter(min_value=1, max_value=preview.MOST)


class TaskEndpoint(Endpoint):
    """An address below the tasks."""

    tag = "tasks"
    path_parameters = TASK_ID

    def task(self, id: str) -> Task:
        """The task of the path.

        Raises:
            TaskNotFound
        """
        return task_of(id)

    def shape_context(self, tasks: Iterable[Task]) -> dict[str, Any]:
        return {"running": running([task.pk for task in tasks]), "with_code": self.may("task.view_code")}

    def shown(self, task: Task) -> dict[str, Any]:
        """The task as the caller may see it."""
        return dict(TaskShape(task, context=self.shape_context([task])).data)


def task_of(id: str) -> Task:
    """The task that a path names by its number.

    Raises:
        TaskNotFound: there is none, or it is deleted.
    """
    key = number(id)
    task = None if key is None else Task.objects.filter(pk=key, deleted=False).first()
    if task is None:
        raise TaskNotFound(
            f"id: expected the number of a task, got {id[:80]!r}", fields={"id": "no such task"}
        )
    return task


def running(tasks: list[int]) -> set[int]:
    """Those of these tasks of which a job runs."""
    found = Task.objects.filter(pk__in=tasks, jobs__finished_at__isnull=True, jobs__state="running")
    return set(found.order_by().values_list("pk", flat=True).distinct())


class TasksView(TaskEndpoint):
    """All tasks."""

    rights = {"GET": "task.view"}
    queries = {"get": TaskQuery}
    path_parameters = {}
    pagination_class = Pages

    @extend_schema(responses=TaskShape(many=True))
    def get(self, request: Request) -> Response:
        """List tasks.

        By app and name, without the deleted ones.
        """
        pages = Pages()
        found = pages.paginate_queryset(_filtered(self.query).order_by("app", "name"), request, self)
        return pages.get_paginated_response(
            TaskShape(found, many=True, context=self.shape_context(found)).data
        )


def _filtered(query: dict[str, Any]) -> "QuerySet[Task]":
    tasks = Task.objects.filter(deleted=False)
    if "app" in query:
        tasks = tasks.filter(app="" if query["app"] == "-" else query["app"])
    if "enabled" in query:
        tasks = tasks.filter(enabled=query["enabled"])
    if query.get("status") == "running":
        tasks = tasks.filter(
            pk__in=Task.objects.filter(jobs__finished_at__isnull=True, jobs__state="running")
        )
    elif "status" in query:
        tasks = tasks.filter(last_status="" if query["status"] == "never" else query["status"])
    if "search" in query:
        tasks = tasks.filter(Q(name__icontains=query["search"]) | Q(description__icontains=query["search"]))
    if "tag" in query:
        # A list of texts is a JSON column; databases differ in how they look inside, the task list is short.
        tagged = [pk for pk, tags in tasks.values_list("pk", "tags") if query["tag"] in tags]
        tasks = tasks.filter(pk__in=tagged)
    return tasks


class TaskView(TaskEndpoint):
    """One task."""

    rights = {"GET": "task.view"}

    @extend_schema(responses=TaskShape)
    def get(self, request: Request, id: str) -> Response:
        """Read a task.

        `code`, `path`, `parameters` and `environment` are left out for who may not read code.
        """
        return Response(self.shown(self.task(id)))


class SwitchView(TaskEndpoint):
    """Switching a task."""

    rights = {"POST": "task.switch"}
    idempotent_methods = ("post",)
    enabled: bool

    def switch(self, id: str) -> Response:
        def checked() -> Task:
            self.body()
            return self.task(id)

        def effect(task: Task) -> Response:
            return Response(self.shown(switch(task.pk, enabled=self.enabled, by=self.actor, now=self.now)))

        return once(self.request, checked, effect, now=self.now)


class EnableView(SwitchView):
    """Switching a task on."""

    enabled = True

    @extend_schema(request=NoBody, responses=TaskShape)
    def post(self, request: Request, id: str) -> Response:
        """Enable a task.

        From now on: what was missed is not made up for, and the count of failures begins anew.
        """
        return self.switch(id)


class DisableView(SwitchView):
    """Switching a task off."""

    enabled = False

    @extend_schema(request=NoBody, responses=TaskShape)
    def post(self, request: Request, id: str) -> Response:
        """Disable a task.

        Its schedule starts nothing any more; what runs goes on.
        """
        return self.switch(id)


class OccurrencesView(TaskEndpoint):
    """Due times decided."""

    rights = {"GET": "task.view"}
    queries = {"get": OccurrenceQuery}
    pagination_class = Pages

    @extend_schema(responses=OccurrenceShape(many=True))
    def get(self, request: Request, id: str) -> Response:
        """List what became of each due time.

        The newest first; a skipped one says why.
        """
        found = Occurrence.objects.filter(task=self.task(id), **self.query)
        return self.page(found.order_by("-due_at", "-id"), OccurrenceShape)


class NextRunsView(TaskEndpoint):
    """Due times to come."""

    rights = {"GET": "task.view"}
    queries = {"get": NextRunsQuery}

    @extend_schema(responses=NextRuns)
    def get(self, request: Request, id: str) -> Response:
        """Tell the next due times of a task."""
        task = self.task(id)
        runs = _runs(task, count=self.query.get("count", 5), now=self.now)
        results = [{"due_at": run.due_at, "local": run.local.isoformat(), "note": run.note} for run in runs]
        return Response(
            NextRuns({"enabled": task.enabled, "timezone": task.timezone, "results": results}).data
        )


def _runs(task: Task, *, count: int, now: datetime) -> list[preview.Run]:
    if task.at is not None:
        return [preview.Run(task.at, task.at.astimezone(zones.get(task.timezone)))] if task.at > now else []
    return preview.next_runs(task.schedule, task.timezone, count=count, now=now) if task.schedule else []
