"""What jobs_app adds to the addresses of a task: running it, and how it ran."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app import task_runs
from jobs_app.models import Job
from jobs_app.states import Status
from taskhub.core.api.fields import JsonObject, StrictSerializer
from taskhub.core.api.idempotency import once
from taskhub.core.api.pages import Pages
from taskhub.core.api.queries import OneOf, Query, TimeFilter
from taskhub.core.errors import Forbidden
from tasks_app.api.task_views import TASK_ID, TaskEndpoint, task_of
from tasks_app.models import Task

from . import job_lists
from .execution_views import ExecutionLine, lines, visible
from .job_input import WaitQuery
from .job_shapes import StartedJob
from .job_views import JobEndpoint


class RunTaskBody(StrictSerializer):
    """How to run the task."""

    parameters = JsonObject(
        required=False, help_text="Laid over the task's own, by key; for who may supply code."
    )


class HistoryQuery(Query):
    """Filters of the history of a task."""

    status = OneOf(Status.values)
    finished_after = TimeFilter(help_text="From this time on.")
    finished_before = TimeFilter(help_text="Before this time.")


class RunTaskView(JobEndpoint):
    """Running a task now."""

    tag = "tasks"
    rights = {"POST": "task.run"}
    queries = {"post": WaitQuery}
    path_parameters = TASK_ID
    idempotent_methods = ("post",)

    @extend_schema(request=RunTaskBody, responses={202: StartedJob})
    def post(self, request: Request, id: str) -> Response:
        """Run a task now.

        Also a disabled one; its schedule goes on as before. 202 with the job, which may have to wait.
        """
        return once(request, lambda: self._asked(id), lambda asked: self._run(*asked), now=self.now)

    def _asked(self, id: str) -> tuple[Task, dict[str, Any]]:
        body = self.body(RunTaskBody)
        if body.get("parameters") and not self.may("task.edit"):
            raise Forbidden("parameters: expected a caller who may supply them (author), got another role")
        return task_of(id), body

    def _run(self, task: Task, body: dict[str, Any]) -> Response:
        made: Job = task_runs.run_task(
            task, by=self.actor, owner=self.caller, trigger="api", source="api",
            parameters=body.get("parameters"), now=self.now,
        )  # fmt: skip
        return Response({**self.shown(made.uuid), "started": True}, status=202)


class TaskHistoryView(TaskEndpoint):
    """How a task ran."""

    rights = {"GET": "task.view"}
    queries = {"get": HistoryQuery}
    pagination_class = Pages

    @extend_schema(responses=ExecutionLine(many=True))
    def get(self, request: Request, id: str) -> Response:
        """List the executions of a task, the newest first."""
        task = self.task(id)
        found = job_lists.executions(visible(request.user), {**self.query, "task": str(task.pk)})
        return self.page(found, ExecutionLine, complete=lines)
