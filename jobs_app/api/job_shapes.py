"""Jobs as the API shows them: a line of a list, and the whole."""

import json
from typing import Any

from django.db.models import F, QuerySet
from rest_framework import serializers

from jobs_app import output
from jobs_app.models import Job
from jobs_app.states import Held, JobState, Reason
from taskhub.core import permissions

MOST_CHILDREN = 1_000

# What a line of a list needs; the wide columns stay unread.
_LINE = (
    "uuid", "public_id", "name", "state", "reason", "attempt", "held", "language", "app", "task", "pool",
    "runspace", "source", "trigger", "priority", "cancellable", "restarted_from", "due_at", "created_at",
    "queued_at", "started_at", "finished_at", "cancel_requested_at", "exit_code", "percent",
    "status_message", "progress_at",
)  # fmt: skip


def lines(jobs: "QuerySet[Job]") -> "QuerySet[Job]":
    """With the columns of a list, and no more."""
    return named(jobs.only(*_LINE))


def named(jobs: "QuerySet[Job]") -> "QuerySet[Job]":
    """With the owner's name and the parent's id, which are other rows."""
    return jobs.annotate(owner_name=F("owner__username"), parent_public_id=F("parent__public_id"))


class Progress(serializers.Serializer[Job]):
    """How far a job is."""

    percent_complete = serializers.FloatField(source="percent", help_text="0 to 100.")
    status_message = serializers.CharField()
    last_updated_at = serializers.DateTimeField(source="progress_at")
    is_terminal = serializers.BooleanField(help_text="True once the job has ended.")


class JobLine(serializers.Serializer[Job]):
    """A job in a list."""

    id = serializers.CharField(source="public_id", help_text="The caller's own id, or else the uuid.")
    uuid = serializers.UUIDField()
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=JobState.choices)
    reason = serializers.ChoiceField(
        choices=["", *Reason.values], help_text="Why it failed or stopped; else blank."
    )
    attempt = serializers.IntegerField()
    language = serializers.CharField()
    task = serializers.IntegerField(source="task_id", allow_null=True)
    app = serializers.CharField()
    pool = serializers.CharField()
    runspace = serializers.IntegerField(allow_null=True)
    owner = serializers.CharField(source="owner_name", allow_null=True, help_text="User name.")
    source = serializers.CharField(help_text="engine, manual, api, route or app:<name>.")  # type: ignore[assignment] # as the API names it
    trigger = serializers.CharField(help_text="scheduled, manual, api, retry or dependency.")
    priority = serializers.IntegerField()
    due_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    queued_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    duration = serializers.FloatField(
        allow_null=True, help_text="Seconds; only once start and end are known."
    )
    progress = Progress(source="*")
    cancellable = serializers.BooleanField()
    cancel_requested_at = serializers.DateTimeField(allow_null=True)
    parent = serializers.CharField(source="parent_public_id", allow_null=True, help_text="Id of the parent.")  # type: ignore[assignment] # as the API names it
    restarted_from = serializers.UUIDField(allow_null=True)
    waiting_for = serializers.ChoiceField(
        choices=[*Held.values, "runspace"], allow_null=True, help_text="What a queued job waits for."
    )
    exit_code = serializers.IntegerField(allow_null=True)


class JobError(serializers.Serializer[Job]):
    """What went wrong."""

    type = serializers.CharField(source="error_type")
    message = serializers.CharField(source="error_message")
    traceback = serializers.CharField(source="error_traceback")


class OutputSize(serializers.Serializer[Any]):
    """How much was printed, the dropped part included."""

    bytes = serializers.IntegerField()
    lines = serializers.IntegerField()
    dropped = serializers.IntegerField(help_text="Bytes that are kept no more.")


class JobDetail(JobLine):
    """A job in full. `code`, `path`, `parameters` and `environment` are there for who may read code."""

    description = serializers.CharField()
    children = serializers.ListField(child=serializers.CharField(), help_text="Ids, oldest first.")
    timeout = serializers.IntegerField(help_text="Seconds from the start; -1 none.")
    max_attempts = serializers.IntegerField()
    idempotent = serializers.BooleanField()
    overdue_at = serializers.DateTimeField(allow_null=True)
    cancelled_by = serializers.CharField()
    survivors = serializers.CharField(help_text="Processes that could not be killed.")
    error = JobError(allow_null=True)
    output = OutputSize()
    code = serializers.CharField(required=False)
    path = serializers.CharField(required=False)
    parameters = serializers.DictField(required=False)
    environment = serializers.DictField(child=serializers.CharField(), required=False)


class StartedJob(JobDetail):
    """The job, and whether this call has started it."""

    started = serializers.BooleanField()


class NotStarted(serializers.Serializer[Any]):
    """The job was not waiting for a start; nothing happened."""

    started = serializers.BooleanField(help_text="Always false.")


def detail(job: Job, *, user: Any, token: Any = None) -> dict[str, Any]:
    """The whole of a job that was read by `named`, as far as the caller may see it."""
    shape = without_code(job)
    return shape | told(job) if permissions.allows(user, "job.view_code", token=token) else shape


def without_code(job: Job) -> dict[str, Any]:
    """What everybody sees of a job that he may see."""
    children = Job.objects.filter(parent=job.pk).order_by("uuid").values_list("public_id", flat=True)
    shape: dict[str, Any] = dict(JobLine(job).data)
    return shape | {
        "description": job.description,
        "children": list(children[:MOST_CHILDREN]),
        "timeout": job.timeout,
        "max_attempts": job.max_attempts,
        "idempotent": job.idempotent,
        "overdue_at": serializers.DateTimeField().to_representation(job.overdue_at)
        if job.overdue_at
        else None,
        "cancelled_by": job.cancelled_by,
        "survivors": job.survivors,
        "error": JobError(job).data if job.error_type or job.error_message else None,
        "output": output_size(job),
    }


def told(job: Job) -> dict[str, Any]:
    """What a job was told to do; never changes."""
    spec = job.spec
    return {
        "code": spec.code,
        "path": spec.path,
        "parameters": json.loads(spec.parameters),
        "environment": json.loads(spec.environment),
    }


def output_size(job: Job) -> dict[str, int]:
    """Of a running job as it stands now, of an ended one as it was at the end."""
    if job.state == JobState.RUNNING:
        now = output.stat(job.uuid, job.attempt)
        return {"bytes": now.bytes, "lines": now.lines, "dropped": now.dropped}
    return {"bytes": job.output_bytes, "lines": job.output_lines, "dropped": job.output_dropped}
