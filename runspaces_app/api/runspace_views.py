"""Runspaces: list, read, their measurements, closing one by force."""

from datetime import timedelta
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runspaces_app import closing
from runspaces_app.errors import RunspaceNotFound
from runspaces_app.models import Runspace, RunspaceSample
from taskhub.core import audit, runtime_settings
from taskhub.core.api.endpoint import Endpoint, number
from taskhub.core.api.fields import StrictSerializer, Switch, Text
from taskhub.core.api.idempotency import once
from taskhub.core.api.pages import Pages
from taskhub.core.api.queries import OneOf, Query, TextFilter, TimeFilter, WholeFilter
from taskhub.core.errors import BadInput

LONGEST_AGE = 100 * 365 * 86_400


class RunspaceQuery(Query):
    """Filters of the list of runspaces; all that are given must hold."""

    state = OneOf(Runspace.State.values)
    availability = OneOf(Runspace.Availability.values)
    pool = TextFilter(max_length=64)
    engine = WholeFilter(help_text="Number of the engine that owns it.")
    min_age = WholeFilter(max_value=LONGEST_AGE, help_text="Opened at least so many seconds ago.")


class SampleQuery(Query):
    """Which measurements."""

    since = TimeFilter(help_text="From this time on.")


class CloseBody(StrictSerializer):
    """Closing ends the job it runs, so it has to be meant."""

    force = Switch(help_text="Has to be true.")
    confirmation = Text(max_length=64, help_text="The runspace's id, typed again.")


class RunspaceShape(serializers.Serializer[Runspace]):
    """A warm worker process."""

    id = serializers.IntegerField()
    pool = serializers.CharField()
    engine = serializers.IntegerField()
    number = serializers.IntegerField(help_text="Shown in its process title.")
    pid = serializers.IntegerField()
    state = serializers.ChoiceField(choices=Runspace.State.choices)
    availability = serializers.ChoiceField(choices=Runspace.Availability.values)
    affinity = serializers.CharField(help_text="app:<name> or owner:<id> it serves; blank: nobody yet.")
    job = serializers.UUIDField(allow_null=True, help_text="The job it runs now.")
    jobs_run = serializers.IntegerField()
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    close_reason = serializers.CharField()
    close_requested_at = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(help_text="When it was measured last.")
    age = serializers.SerializerMethodField(help_text="Seconds it is open, or was.")
    threads = serializers.IntegerField()
    handles = serializers.IntegerField()
    memory_bytes = serializers.IntegerField(help_text="PSS, with children.")
    alerts = serializers.SerializerMethodField(
        help_text="`broken`, `memory`, `age`, as the settings bound them."
    )

    def get_age(self, runspace: Runspace) -> float:
        return max(0.0, ((runspace.closed_at or self.context["now"]) - runspace.opened_at).total_seconds())

    def get_alerts(self, runspace: Runspace) -> list[str]:
        said = {
            "broken": runspace.state == Runspace.State.BROKEN,
            "memory": runspace.memory_bytes > runtime_settings.get("memory_warning_mb") * 1024 * 1024,
            "age": self.get_age(runspace) > runtime_settings.get("age_warning_seconds"),
        }
        closed = runspace.state == Runspace.State.CLOSED
        return [] if closed else [name for name, raised in said.items() if raised]


class SampleShape(serializers.Serializer[RunspaceSample]):
    """One measurement."""

    at = serializers.DateTimeField()
    memory_bytes = serializers.IntegerField()
    threads = serializers.IntegerField()
    handles = serializers.IntegerField()


class RunspaceEndpoint(Endpoint):
    """An address below the runspaces."""

    tag = "runspaces"
    path_parameters = {"id": "Number of the runspace."}

    def runspace(self, id: str) -> Runspace:
        """The runspace of the path.

        Raises:
            RunspaceNotFound
        """
        key = number(id)
        row = None if key is None else Runspace.objects.filter(pk=key).first()
        if row is None:
            raise RunspaceNotFound(
                f"id: expected the number of a runspace, got {id[:80]!r}", fields={"id": "no such runspace"}
            )
        return row


class RunspacesView(RunspaceEndpoint):
    """All runspaces."""

    rights = {"GET": "runspace.view"}
    queries = {"get": RunspaceQuery}
    path_parameters = {}
    pagination_class = Pages

    @extend_schema(responses=RunspaceShape(many=True))
    def get(self, request: Request) -> Response:
        """List runspaces.

        The newest first; closed ones too, with the reason.
        """
        query: dict[str, Any] = dict(self.query)
        min_age = query.pop("min_age", None)
        found = Runspace.objects.filter(**query)
        if min_age is not None:
            found = found.filter(opened_at__lte=self.now - timedelta(seconds=min_age))
        return self.page(found.order_by("-id"), RunspaceShape, now=self.now)


class RunspaceView(RunspaceEndpoint):
    """One runspace."""

    rights = {"GET": "runspace.view"}

    @extend_schema(responses=RunspaceShape)
    def get(self, request: Request, id: str) -> Response:
        """Read a runspace."""
        return Response(RunspaceShape(self.runspace(id), context={"now": self.now}).data)


class SamplesView(RunspaceEndpoint):
    """What was measured of a runspace."""

    rights = {"GET": "runspace.view"}
    queries = {"get": SampleQuery}
    pagination_class = Pages

    @extend_schema(responses=SampleShape(many=True))
    def get(self, request: Request, id: str) -> Response:
        """List the measurements of a runspace.

        The newest first; they are kept for 24 hours.
        """
        found = RunspaceSample.objects.filter(runspace=self.runspace(id))
        if "since" in self.query:
            found = found.filter(at__gte=self.query["since"])
        return self.page(found.order_by("-at", "-id"), SampleShape)


class CloseView(RunspaceEndpoint):
    """Closing a runspace by force."""

    rights = {"POST": "runspace.close"}
    errors = {"post": (409,)}
    idempotent_methods = ("post",)

    @extend_schema(request=CloseBody, responses={202: RunspaceShape})
    def post(self, request: Request, id: str) -> Response:
        """Close a runspace by force.

        The job it runs ends with it. Needs `"force": true` and the id typed as `confirmation`; each try
        is audited.
        """
        return once(request, lambda: self._checked(id), self._close, now=self.now)

    def _checked(self, id: str) -> tuple[Runspace, str]:
        runspace = self.runspace(id)
        body = self.body(CloseBody)
        if not body["force"]:
            audit.record(
                actor=self.actor, action="runspace.close", object_type="runspace", object_id=str(runspace.pk),
                result="refused", message="not by force", now=self.now,
            )  # fmt: skip
            raise BadInput("force: expected true, got false", fields={"force": "expected true"})
        return runspace, body["confirmation"]

    def _close(self, asked: tuple[Runspace, str]) -> Response:
        runspace, confirmation = asked
        row = closing.request_close(runspace.pk, confirmation=confirmation, by=self.actor, now=self.now)
        return Response(RunspaceShape(row, context={"now": self.now}).data, status=202)
