"""Pools: list, read, change their limits."""

from typing import Any

from django.db.models import Count, Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runspaces_app import pool_limits
from runspaces_app.models import Pool, Runspace
from taskhub.core.api.endpoint import Endpoint
from taskhub.core.api.fields import Number, StrictSerializer, Switch, Text, Whole
from taskhub.core.api.pages import Pages
from taskhub.core.errors import NotFound


class PoolLimits(StrictSerializer):
    """What may be changed of a pool; what is not given stays."""

    description = Text(required=False, allow_blank=True, max_length=2_000)
    enabled = Switch(required=False, help_text="False: it takes no more jobs.")
    min_runspaces = Whole(required=False)
    max_runspaces = Whole(required=False)
    idle_seconds = Whole(required=False, help_text="-1: no limit.")
    grace_seconds = Number(required=False)
    drain_seconds = Number(required=False)
    reuse = Switch(required=False, help_text="False: a fresh process for each job.")
    max_jobs = Whole(required=False, help_text="-1: no limit.")
    max_age_seconds = Whole(required=False, help_text="-1: no limit.")
    max_memory_bytes = Whole(required=False, help_text="-1: no limit.")
    output_cap_bytes = Whole(required=False, help_text="Of an attempt; -1: no limit.")


class PoolShape(serializers.Serializer[Pool]):
    """How many runspaces there may be of one kind, and when they are replaced. -1 means no limit."""

    name = serializers.CharField()
    description = serializers.CharField()
    backend = serializers.ChoiceField(choices=Pool.Backend.values)
    kind = serializers.ChoiceField(choices=Pool.Kind.values)
    enabled = serializers.BooleanField()
    min_runspaces = serializers.IntegerField()
    max_runspaces = serializers.IntegerField()
    idle_seconds = serializers.IntegerField()
    grace_seconds = serializers.FloatField()
    drain_seconds = serializers.FloatField()
    reuse = serializers.BooleanField()
    max_jobs = serializers.IntegerField()
    max_age_seconds = serializers.IntegerField()
    max_memory_bytes = serializers.IntegerField()
    output_cap_bytes = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    opened = serializers.SerializerMethodField(help_text="Runspaces that are open now.")
    busy = serializers.SerializerMethodField(help_text="Those of them that run a job.")

    def get_opened(self, pool: Pool) -> int:
        return int(self.context["counts"].get(pool.name, (0, 0))[0])

    def get_busy(self, pool: Pool) -> int:
        return int(self.context["counts"].get(pool.name, (0, 0))[1])


def counts() -> dict[str, tuple[int, int]]:
    """Open and busy runspaces of each pool."""
    rows = Runspace.objects.filter(state=Runspace.State.OPENED).order_by().values_list("pool")
    busy = Count("pk", filter=Q(availability=Runspace.Availability.BUSY))
    return {pool: (opened, working) for pool, opened, working in rows.annotate(opened=Count("pk"), busy=busy)}


class PoolsView(Endpoint):
    """All pools."""

    tag = "pools"
    rights = {"GET": "pool.view"}
    pagination_class = Pages

    @extend_schema(responses=PoolShape(many=True))
    def get(self, request: Request) -> Response:
        """List pools."""
        return self.page(Pool.objects.order_by("name"), PoolShape, counts=counts())


class PoolView(Endpoint):
    """One pool."""

    tag = "pools"
    rights = {"GET": "pool.view", "PATCH": "pool.edit"}
    path_parameters = {"name": "Name of the pool."}

    @extend_schema(responses=PoolShape)
    def get(self, request: Request, name: str) -> Response:
        """Read a pool."""
        return Response(self._shown(self._pool(name)))

    @extend_schema(request=PoolLimits, responses=PoolShape)
    def patch(self, request: Request, name: str) -> Response:
        """Change the limits of a pool.

        Engines follow within seconds; what runs goes on.
        """
        pool = self._pool(name)
        return Response(
            self._shown(pool_limits.change(pool.name, self.body(PoolLimits), by=self.actor, now=self.now))
        )

    def _pool(self, name: str) -> Pool:
        pool = Pool.objects.filter(pk=name).first() if "\0" not in name else None
        if pool is None:
            raise NotFound(f"name: expected the name of a pool, got {name[:80]!r}")
        return pool

    def _shown(self, pool: Pool) -> dict[str, Any]:
        return dict(PoolShape(pool, context={"counts": counts()}).data)
