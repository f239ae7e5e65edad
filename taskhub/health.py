"""Whether Taskhub lives, whether it can work, and its figures for Prometheus."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Count, Sum
from django.http import HttpResponse
from django.urls import URLPattern
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app.models import Engine, Execution, Job
from jobs_app.states import OPEN, Status
from runspaces_app.models import Runspace
from taskhub.core.api.endpoint import Endpoint
from taskhub.core.api.negotiation import AnyAccept
from taskhub.core.api.routes import both
from tasks_app.models import Task

# An engine beats every 5 s; one that was silent for so long is not there.
BEAT = timedelta(seconds=20)
HOUR = timedelta(hours=1)


class Live(serializers.Serializer[dict[str, str]]):
    """It answers."""

    status = serializers.CharField(help_text="`ok`.")


class Ready(serializers.Serializer[dict[str, object]]):
    """Whether it can work."""

    status = serializers.CharField(help_text="`ok`, or `unavailable` without a database.")
    database = serializers.CharField(help_text="`ok` or `unavailable`.")
    engines = serializers.IntegerField(help_text="Engines that live; without one nothing is started.")


def living_engines(now: datetime) -> int:
    """Engines that run and have said so lately."""
    running = (Engine.State.RUNNING, Engine.State.DRAINING)
    return Engine.objects.filter(state__in=running, beat_at__gt=now - BEAT).count()


class LiveView(Endpoint):
    """The web process."""

    tag = "health"
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(responses=Live)
    def get(self, request: Request) -> Response:
        """Tell that the web process answers."""
        return Response({"status": "ok"})


class ReadyView(Endpoint):
    """The web process and its database."""

    tag = "health"
    authentication_classes = ()
    permission_classes = ()

    @extend_schema(
        responses={200: Ready, 503: OpenApiResponse(Ready, description="The database does not answer.")}
    )
    def get(self, request: Request) -> Response:
        """Tell whether calls can be answered."""
        try:
            engines = living_engines(self.now)
        except DatabaseError:
            body = {"status": "unavailable", "database": "unavailable", "engines": 0}
            return Response(body, status=503, headers={"Retry-After": "2"})
        return Response({"status": "ok", "database": "ok", "engines": engines})


class MetricsView(Endpoint):
    """Figures for Prometheus."""

    tag = "health"
    rights = {"GET": "engine.view"}
    content_negotiation_class = AnyAccept

    @extend_schema(
        responses={(200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, description="Prometheus text.")}
    )
    def get(self, request: Request) -> HttpResponse:
        """Tell the figures in the text format of Prometheus."""
        registry = CollectorRegistry()
        registry.register(_Figures(self.now))
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Figures(Collector):
    """Counts as they are now; each is answered by an index."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def describe(self) -> Iterator[Metric]:
        return iter(())

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("taskhub_engines", "Engines that live.", value=living_engines(self._now))
        yield self._jobs()
        yield self._executions()
        yield from self._runspaces()
        tasks = GaugeMetricFamily("taskhub_tasks", "Tasks.", labels=["enabled"])
        found = dict(
            Task.objects.filter(deleted=False).order_by().values_list("enabled").annotate(Count("pk"))
        )
        for enabled in (True, False):
            tasks.add_metric([str(enabled).lower()], found.get(enabled, 0))
        yield tasks

    def _jobs(self) -> Metric:
        family = GaugeMetricFamily("taskhub_jobs", "Jobs that have not ended.", labels=["state"])
        found = dict(Job.objects.filter(state__in=OPEN).order_by().values_list("state").annotate(Count("pk")))
        for state in sorted(OPEN):
            family.add_metric([state], found.get(state, 0))
        return family

    def _executions(self) -> Metric:
        family = GaugeMetricFamily(
            "taskhub_executions_last_hour", "Attempts that ended in the last hour.", labels=["status"]
        )
        ended = Execution.objects.filter(finished_at__gt=self._now - HOUR)
        first = ended.order_by("finished_at").values_list("pk", flat=True).first()
        for status in Status.values:
            # Rows are written as attempts end, so their numbers tell the hour, and one index has both.
            count = 0 if first is None else Execution.objects.filter(status=status, pk__gte=first).count()
            family.add_metric([status], count)
        return family

    def _runspaces(self) -> Iterator[Metric]:
        count = GaugeMetricFamily("taskhub_runspaces", "Open runspaces.", labels=["pool", "availability"])
        memory = GaugeMetricFamily(
            "taskhub_runspace_memory_bytes", "Memory of open runspaces (PSS).", labels=["pool"]
        )
        sums: dict[str, int] = {}
        rows = (
            Runspace.objects.filter(state=Runspace.State.OPENED)
            .order_by()
            .values_list("pool", "availability")
        )
        for pool, availability, number, used in rows.annotate(Count("pk"), Sum("memory_bytes")):
            count.add_metric([pool, availability], number)
            sums[pool] = sums.get(pool, 0) + (used or 0)
        for pool, used in sums.items():
            memory.add_metric([pool], used)
        yield count
        yield memory


urlpatterns: list[URLPattern] = [
    *both("health/live", LiveView.as_view(), "health-live"),
    *both("health/ready", ReadyView.as_view(), "health-ready"),
    *both("metrics", MetricsView.as_view(), "metrics"),
]
