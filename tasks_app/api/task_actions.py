"""What is done with a task by POST: switch, duplicate, copy, restore, reset, test."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.api.fields import NoBody
from tasks_app import editing, script_test
from tasks_app.models import Task
from tasks_app.switching import switch

from .task_input import CopyBody, DuplicateBody
from .task_shapes import TaskShape, TestReport
from .task_views import TaskEndpoint, task_of


class TaskAction(TaskEndpoint):
    """Something done with one task by POST."""

    idempotent_methods = ("post",)
    errors = {"post": (409,)}


class EnableView(TaskAction):
    """Switching a task on."""

    rights = {"POST": "task.switch"}

    @extend_schema(request=NoBody, responses=TaskShape)
    def post(self, request: Request, id: str) -> Response:
        """Enable a task.

        From now on: what was missed is not made up for, and the count of failures begins anew.
        """
        return self.act(id, self._enable)

    def _enable(self, task: Task, body: dict[str, Any]) -> Response:
        return Response(self.shown(switch(task.pk, enabled=True, by=self.actor, now=self.now)))


class DisableView(TaskAction):
    """Switching a task off."""

    rights = {"POST": "task.switch"}

    @extend_schema(request=NoBody, responses=TaskShape)
    def post(self, request: Request, id: str) -> Response:
        """Disable a task.

        Its schedule starts nothing any more; what runs goes on.
        """
        return self.act(id, self._disable)

    def _disable(self, task: Task, body: dict[str, Any]) -> Response:
        return Response(self.shown(switch(task.pk, enabled=False, by=self.actor, now=self.now)))


class DuplicateView(TaskAction):
    """A second task of the kind."""

    rights = {"POST": "task.edit"}

    @extend_schema(request=DuplicateBody, responses={201: TaskShape})
    def post(self, request: Request, id: str) -> Response:
        """Make a custom task that does the same.

        Disabled if it keeps the schedule, so that nothing runs twice. 409 if the name is taken.
        """
        return self.act(id, self._duplicate, DuplicateBody)

    def _duplicate(self, task: Task, body: dict[str, Any]) -> Response:
        if "schedule" in body:
            body["schedule"] = body["schedule"] or ""
        made = editing.duplicate(task.pk, **body, by=self.actor, now=self.now)
        return Response(self.shown(made), status=201)


class CopyView(TaskAction):
    """The same task in another app."""

    rights = {"POST": "task.edit"}

    @extend_schema(request=CopyBody, responses={201: TaskShape})
    def post(self, request: Request, id: str) -> Response:
        """Copy a task to another app.

        Under its name, as a custom task; disabled if it has a schedule, so that nothing runs twice. 400 if
        there is no such app, 409 if it has a task of that name.
        """
        return self.act(id, self._copy, CopyBody)

    def _copy(self, task: Task, body: dict[str, Any]) -> Response:
        made = editing.duplicate(task.pk, name=task.name, app=body["targetApp"], by=self.actor, now=self.now)
        return Response(self.shown(made), status=201)


class RestoreView(TaskAction):
    """Bringing a deleted task back."""

    rights = {"POST": "task.remove"}

    @extend_schema(request=NoBody, responses=TaskShape)
    def post(self, request: Request, id: str) -> Response:
        """Restore a deleted task.

        With what was changed of it before. 409 if it is not deleted.
        """
        return self.act(id, self._restore)

    def _restore(self, task: Task, body: dict[str, Any]) -> Response:
        return Response(self.shown(editing.restore(task.pk, by=self.actor, now=self.now)))


class ResetView(TaskAction):
    """Back to the file."""

    rights = {"POST": "task.edit"}

    @extend_schema(request=NoBody, responses=TaskShape)
    def post(self, request: Request, id: str) -> Response:
        """Take back what was changed of a task.

        It is what its file says again. 409 for a custom task, which has no file.
        """
        return self.act(id, self._reset)

    def _reset(self, task: Task, body: dict[str, Any]) -> Response:
        return Response(self.shown(editing.reset(task.pk, by=self.actor, now=self.now)))


class TestView(TaskEndpoint):
    """Whether a script would run."""

    # Not collected by pytest, whatever its name.
    __test__ = False
    rights = {"POST": "task.view_code"}
    errors = {"post": (409,)}

    @extend_schema(request=NoBody, responses=TestReport)
    def post(self, request: Request, id: str) -> Response:
        """Test a task's script without running it.

        Whether it exists, can be read, compiles, and has its interpreter.
        """
        task = task_of(id)
        self.body()
        report = script_test.test(task)
        looks = [look._asdict() for look in report.looks]
        return Response(TestReport({"ok": report.ok, "looks": looks}).data)
