"""Tasks: list, make, read, change, remove."""

from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import F, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.api.endpoint import Endpoint, number
from taskhub.core.api.fields import NoBody, StrictSerializer
from taskhub.core.api.idempotency import once
from taskhub.core.api.pages import Pages
from tasks_app import editing, selectors
from tasks_app.errors import BadTask
from tasks_app.models import Task

from .task_input import NewTaskBody, TaskChanges, TaskQuery, WholeTaskBody
from .task_shapes import TaskShape

TASK_ID = {"id": "Number of the task."}


class TaskEndpoint(Endpoint):
    """An address below the tasks."""

    tag = "tasks"
    path_parameters = TASK_ID

    def task(self, id: str) -> Task:
        """The task of the path, be it deleted by hand.

        Raises:
            TaskNotFound
        """
        return selectors.known(_number(id))

    def shape_context(self, tasks: Iterable[Task]) -> dict[str, Any]:
        return {"running": running([task.pk for task in tasks]), "with_code": self.may("task.view_code")}

    def shown(self, task: Task) -> dict[str, Any]:
        """The task as the caller may see it."""
        return dict(TaskShape(task, context=self.shape_context([task])).data)

    def act(
        self,
        id: str,
        effect: Callable[[Task, dict[str, Any]], Response],
        form: type[StrictSerializer] = NoBody,
    ) -> Response:
        """Do something with the task of the path, once for each `Idempotency-Key`.

        Args:
            effect: gets the task and the body, and answers.
        """
        return once(
            self.request,
            lambda: (self.task(id), self.body(form)),
            lambda prepared: effect(*prepared),
            now=self.now,
        )


def task_of(id: str) -> Task:
    """The task that a path names by its number.

    Raises:
        TaskNotFound
        TaskDeleted: by hand.
    """
    return selectors.current(_number(id))


def _number(id: str) -> int:
    key = number(id)
    if key is None:
        raise selectors.not_found(id)
    return key


def running(tasks: list[int]) -> set[int]:
    """Those of these tasks of which a job runs."""
    found = Task.objects.filter(pk__in=tasks, jobs__finished_at__isnull=True, jobs__state="running")
    return set(found.order_by().values_list("pk", flat=True).distinct())


class TasksView(TaskEndpoint):
    """All tasks."""

    rights = {"GET": "task.view", "POST": "task.edit"}
    queries = {"get": TaskQuery}
    path_parameters = {}
    idempotent_methods = ("post",)
    errors = {"post": (409,)}
    pagination_class = Pages

    @extend_schema(responses=TaskShape(many=True))
    def get(self, request: Request) -> Response:
        """List tasks.

        By app and name, without the deleted ones.
        """
        pages = Pages()
        found = pages.paginate_queryset(_filtered(self.query), request, self)
        return pages.get_paginated_response(
            TaskShape(found, many=True, context=self.shape_context(found)).data
        )

    @extend_schema(request=NewTaskBody, responses={201: TaskShape})
    def post(self, request: Request) -> Response:
        """Make a custom task.

        Its first due time is the first after now.
        """
        return once(request, lambda: self.body(NewTaskBody), self._create, now=self.now)

    def _create(self, given: dict[str, Any]) -> Response:
        task = editing.create(given, app=given.pop("app", ""), by=self.actor, now=self.now)
        return Response(self.shown(task), status=201)


class TaskView(TaskEndpoint):
    """One task."""

    rights = {"GET": "task.view", "PUT": "task.edit", "PATCH": "task.edit", "DELETE": "task.remove"}
    errors = {"put": (409,), "patch": (409,), "delete": (409,)}

    @extend_schema(responses=TaskShape)
    def get(self, request: Request, id: str) -> Response:
        """Read a task.

        Also one that was deleted by hand. `code`, `path`, `parameters` and `environment` are left out
        for who may not read code.
        """
        return Response(self.shown(self.task(id)))

    @extend_schema(request=WholeTaskBody, responses=TaskShape)
    def put(self, request: Request, id: str) -> Response:
        """Replace a task.

        What is left out takes its default; of a task out of a file what the file says, and what only the
        file can change must be as the file has it. So what GET answers can be sent back.
        """
        task = self.task(id)
        given = _without_app(task, self.body(WholeTaskBody))
        return Response(self.shown(editing.replace(task.pk, given, by=self.actor, now=self.now)))

    @extend_schema(request=TaskChanges, responses=TaskShape)
    def patch(self, request: Request, id: str) -> Response:
        """Change parts of a task.

        From now on: what was missed is not made up for. What is changed of a task out of a file is laid
        over the file, environment and parameters by key.
        """
        task = self.task(id)
        given = _without_app(task, self.body(TaskChanges))
        return Response(self.shown(editing.edit(task.pk, given, by=self.actor, now=self.now)))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Delete a task.

        One out of a file does not run and is not listed until it is restored. A custom one is removed
        with its due times; 409 while a job of it waits or runs. The history stays.
        """
        editing.delete(self.task(id).pk, by=self.actor, now=self.now)
        return Response(status=204)


def _without_app(task: Task, given: dict[str, Any]) -> dict[str, Any]:
    app = given.pop("app", task.app)
    if app != task.app:
        said = f"expected {task.app!r}, where the task stays (`copy` makes one elsewhere), got {app[:80]!r}"
        raise BadTask(f"app: {said}", fields={"app": said})
    return given


def _filtered(query: dict[str, Any]) -> "QuerySet[Task]":
    tasks = Task.objects.filter(deleted=False)
    if query.get("deleted"):
        tasks = selectors.deleted_by_hand()
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
        tasks = selectors.tagged(tasks, query["tag"])
    return tasks.order_by(*_order(query.get("ordering", "")))


def _order(ordering: str) -> list[Any]:
    name = ordering.removeprefix("-")
    if not name:
        return ["app", "name"]
    if ordering.startswith("-"):
        return [F(name).desc(nulls_last=True), "-pk"]
    return [F(name).asc(nulls_last=True), "pk"]
