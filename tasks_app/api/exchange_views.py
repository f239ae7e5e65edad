"""What people changed, and the custom tasks, as one JSON document: out and in."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.api.idempotency import once
from tasks_app import exchange

from .task_input import ExportQuery, ImportQuery
from .task_views import TaskEndpoint


class ExchangeDocument(serializers.Serializer[Any]):
    """Overrides and custom tasks.

    An entry has `name`, `appName`, `deleted`, `custom`; of an override `enabled`, `schedule`,
    `environment`, `parameters`, `limits`, where null is not changed; of a custom task all its fields.
    """

    version = serializers.CharField(help_text="1.0")
    lastModified = serializers.DateTimeField()
    tasks = serializers.ListField(child=serializers.DictField())


class ImportDocument(ExchangeDocument):
    """The same; `tasks` is enough."""

    version = serializers.CharField(required=False, help_text="1.0")
    lastModified = serializers.DateTimeField(required=False)


class ImportedShape(serializers.Serializer[Any]):
    """How many entries made or changed something."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    dry_run = serializers.BooleanField(help_text="True: nothing was written.")


class ExportView(TaskEndpoint):
    """All of it, out."""

    rights = {"GET": "task.view_code"}
    queries = {"get": ExportQuery}
    path_parameters = {}

    @extend_schema(responses=ExchangeDocument)
    def get(self, request: Request) -> Response:
        """Export overrides and custom tasks."""
        app = self.query.get("app")
        return Response(exchange.export(app="" if app == "-" else app, now=self.now))


class TaskExportView(TaskEndpoint):
    """Of one task, out."""

    rights = {"GET": "task.view_code"}

    @extend_schema(operation_id="task_export_get", responses=ExchangeDocument)
    def get(self, request: Request, id: str) -> Response:
        """Export what was changed of a task, or a custom task.

        In the form that the import takes; with nulls only if nothing was changed.
        """
        return Response(exchange.export_task(self.task(id), now=self.now))


class ImportView(TaskEndpoint):
    """In again."""

    rights = {"POST": "task.edit"}
    queries = {"post": ImportQuery}
    path_parameters = {}
    idempotent_methods = ("post",)
    errors = {"post": (409,)}

    @extend_schema(request=ImportDocument, responses=ImportedShape)
    def post(self, request: Request) -> Response:
        """Import overrides and custom tasks.

        Each entry replaces what was overridden before; tasks that the document does not name stay. All
        of it or, if one entry is wrong, nothing; `?dry_run=true` only says what it would do.
        """
        return once(request, lambda: request.data, self._import, now=self.now)

    def _import(self, document: Any) -> Response:
        dry_run = self.query.get("dry_run", False)
        done = exchange.import_(document, by=self.actor, now=self.now, dry_run=dry_run)
        return Response({**done._asdict(), "dry_run": dry_run})
