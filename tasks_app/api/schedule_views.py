"""Due times: decided, to come, and of a schedule that may become one."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.api.endpoint import Endpoint
from taskhub.core.api.pages import Pages
from taskhub.core.errors import BadInput
from tasks_app import selectors
from tasks_app.models import Occurrence
from tasks_app.schedule import cron, preview

from .task_input import NextRunsQuery, OccurrenceQuery, PreviewQuery
from .task_shapes import NextRuns, OccurrenceShape, PreviewShape
from .task_views import TaskEndpoint

FEW = 5


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
        """Tell the next due times of a task.

        With a note where a change of its clock moves or doubles one.
        """
        task = self.task(id)
        runs = preview.of_task(task, count=self.query.get("count", FEW), now=self.now)
        return Response(
            NextRuns(
                {
                    "enabled": task.enabled and selectors.app_is_on(task.app),
                    "timezone": task.timezone,
                    "results": [_shown(run) for run in runs],
                }
            ).data
        )


class PreviewView(Endpoint):
    """A schedule before anybody has it."""

    tag = "tasks"
    rights = {"GET": "task.view"}
    queries = {"get": PreviewQuery}

    @extend_schema(responses=PreviewShape)
    def get(self, request: Request) -> Response:
        """Tell what a schedule means.

        In words, and its next due times with notes where a change of the clock moves or doubles one.
        """
        text, timezone = self.query.get("cron", ""), self.query.get("timezone", "UTC")
        if not text.strip():
            said = "expected a cron expression or @daily and the like, got none"
            raise BadInput(f"cron: {said}", fields={"cron": said})
        words = cron.parse(text, timezone, field="cron").words()
        runs = preview.next_runs(text, timezone, count=self.query.get("count", FEW), now=self.now)
        shape = {"cron": text, "timezone": timezone, "words": words, "results": [_shown(run) for run in runs]}
        return Response(PreviewShape(shape).data)


def _shown(run: preview.Run) -> dict[str, Any]:
    return {"due_at": run.due_at, "local": run.local.isoformat(), "note": run.note}
