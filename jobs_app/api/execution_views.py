"""The history of attempts."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app.models import Execution
from jobs_app.states import Reason, Status
from taskhub.core import permissions
from taskhub.core.api.endpoint import Endpoint, number
from taskhub.core.api.pages import Pages
from taskhub.core.api.rights import SIGNED_IN, token_of
from taskhub.core.errors import NotFound

from . import job_lists
from .job_input import ExecutionQuery

# Texts of any length; lists do without them.
_WIDE = ("output_preview", "error_message")


def visible(user: Any, token: Any = None) -> "QuerySet[Execution]":
    """The executions this caller may know of: all of them with a role, else only of his own jobs."""
    if permissions.allows(user, "execution.view", token=token):
        return Execution.objects.all()
    return Execution.objects.filter(owner=user.pk)


def named(executions: "QuerySet[Execution]") -> "QuerySet[Execution]":
    """With the owner's name, if the user is still there."""
    owner = get_user_model().objects.filter(pk=OuterRef("owner")).values("username")[:1]
    return executions.annotate(owner_name=Subquery(owner))


def lines(executions: "QuerySet[Execution]") -> "QuerySet[Execution]":
    """With the columns of a list, and no more."""
    return named(executions).defer(*_WIDE)


class ExecutionLine(serializers.Serializer[Execution]):
    """An execution in a list."""

    id = serializers.IntegerField()
    job = serializers.UUIDField(help_text="Its uuid; the job itself may be gone.")
    job_id = serializers.CharField(source="public_id", help_text="The job's `id`.")
    name = serializers.CharField()
    task = serializers.IntegerField(allow_null=True)
    app = serializers.CharField()
    pool = serializers.CharField()
    runspace = serializers.IntegerField(allow_null=True)
    language = serializers.CharField()
    attempt = serializers.IntegerField(help_text="0: ended before any start.")
    status = serializers.ChoiceField(choices=Status.values)
    reason = serializers.ChoiceField(choices=["", *Reason.values])
    source = serializers.CharField()  # type: ignore[assignment] # as the API names it
    trigger = serializers.CharField()
    owner = serializers.CharField(source="owner_name", allow_null=True, help_text="User name.")
    cancelled_by = serializers.CharField()
    due_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField()
    duration = serializers.FloatField(allow_null=True, help_text="Seconds; null without a start.")
    exit_code = serializers.IntegerField(allow_null=True)
    output_bytes = serializers.IntegerField()
    output_lines = serializers.IntegerField()


class ExecutionError(serializers.Serializer[Execution]):
    """What went wrong."""

    type = serializers.CharField(source="error_type")
    message = serializers.CharField(source="error_message")


class ExecutionDetail(ExecutionLine):
    """An execution in full."""

    output_preview = serializers.CharField(help_text="The last 2 KiB.")
    error = ExecutionError(allow_null=True)

    def to_representation(self, instance: Execution) -> dict[str, Any]:
        """Without an error where there was none."""
        instance.error = instance if instance.error_type or instance.error_message else None  # type: ignore[attr-defined]
        return dict(super().to_representation(instance))


class ExecutionsView(Endpoint):
    """All executions the caller may see."""

    tag = "executions"
    rights = {"GET": SIGNED_IN}
    queries = {"get": ExecutionQuery}
    pagination_class = Pages

    @extend_schema(responses=ExecutionLine(many=True))
    def get(self, request: Request) -> Response:
        """List executions.

        One row for each attempt of a job, newest first. Without a role: only of the caller's own jobs.
        """
        found = job_lists.executions(visible(request.user, token_of(request)), self.query)
        return self.page(found, ExecutionLine, complete=lines)


class ExecutionView(Endpoint):
    """One execution."""

    tag = "executions"
    rights = {"GET": SIGNED_IN}
    path_parameters = {"id": "Number of the execution."}

    @extend_schema(responses=ExecutionDetail)
    def get(self, request: Request, id: str) -> Response:
        """Read an execution."""
        key = number(id)
        row = None if key is None else named(visible(request.user, token_of(request))).filter(pk=key).first()
        if row is None:
            raise NotFound(f"id: expected the number of an execution, got {id[:80]!r}")
        return Response(ExecutionDetail(row).data)
