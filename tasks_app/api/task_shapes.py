"""Tasks and due times as the API shows them."""

from typing import Any

from rest_framework import serializers

from tasks_app.models import Occurrence, Task


class Termination(serializers.Serializer[Task]):
    """When a run is ended, and when the task is switched off."""

    max_runtime = serializers.IntegerField(allow_null=True, help_text="Seconds; -1 none; null the default.")
    kill_on_timeout = serializers.BooleanField()
    max_failures = serializers.IntegerField(
        allow_null=True, help_text="Consecutive failures that switch it off."
    )


class Retry(serializers.Serializer[Task]):
    """How often a failed run is tried again."""

    max_attempts = serializers.IntegerField()
    backoff = serializers.FloatField(help_text="Seconds before the first retry; doubles with each.")
    jitter = serializers.BooleanField(
        required=False,
        help_text="True: each comes up to a quarter later, by chance; left out if not asked for.",
    )

    def to_representation(self, instance: Task) -> dict[str, Any]:
        """Without the jitter that nobody asked for."""
        shape = dict(super().to_representation(instance))
        return shape if shape["jitter"] else {name: shape[name] for name in ("max_attempts", "backoff")}


class TaskShape(serializers.Serializer[Any]):
    """A task. `code`, `path`, `parameters` and `environment` are there for who may read code."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    app = serializers.CharField(help_text="Blank: the data folder's own.")
    description = serializers.CharField()
    enabled = serializers.BooleanField()
    source = serializers.ChoiceField(choices=Task.Source.values)  # type: ignore[assignment] # as the API names it
    custom = serializers.SerializerMethodField()
    deleted = serializers.BooleanField()
    tags = serializers.ListField(child=serializers.CharField())
    language = serializers.CharField()
    schedule = serializers.SerializerMethodField(help_text="Cron; null: by hand only.")
    at = serializers.DateTimeField(allow_null=True, help_text="The one due time of a task that runs once.")
    timezone = serializers.CharField()
    misfire = serializers.CharField()
    overlap = serializers.CharField()
    pool = serializers.CharField()
    priority = serializers.IntegerField()
    idempotent = serializers.BooleanField()
    termination = Termination(source="*")
    retry = Retry(source="*")
    is_running = serializers.SerializerMethodField()
    last_run_at = serializers.DateTimeField(allow_null=True)
    last_status = serializers.CharField(help_text="Of the last execution; blank: there was none.")
    next_due_at = serializers.DateTimeField(allow_null=True)
    failure_count = serializers.IntegerField(help_text="Consecutive failures.")
    created_at = serializers.DateTimeField()
    last_modified = serializers.DateTimeField()
    code = serializers.CharField(required=False)
    path = serializers.CharField(required=False)
    reuse = serializers.BooleanField(
        required=False, help_text="False: a fresh process for each run; left out if not asked for."
    )
    parameters = serializers.DictField(required=False)
    environment = serializers.DictField(child=serializers.CharField(), required=False)

    def get_custom(self, task: Task) -> bool:
        return task.source == Task.Source.CUSTOM

    def get_schedule(self, task: Task) -> str | None:
        return task.schedule or None

    def get_is_running(self, task: Task) -> bool:
        return task.pk in self.context["running"]

    def to_representation(self, instance: Task) -> dict[str, Any]:
        """Without what its reader may not see."""
        if not self.context["with_code"]:
            for name in ("code", "path", "parameters", "environment"):
                self.fields.pop(name, None)
        shape = dict(super().to_representation(instance))
        if shape["reuse"]:
            del shape["reuse"]
        return shape


class OccurrenceShape(serializers.Serializer[Occurrence]):
    """A due time and what was decided about it."""

    id = serializers.IntegerField()
    due_at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="The last due time the row stands for.")
    count = serializers.IntegerField(help_text="Due times the row stands for.")
    decision = serializers.ChoiceField(choices=Occurrence.Decision.values)
    reason = serializers.CharField(help_text="Why it was skipped.")
    void = serializers.BooleanField(help_text="Decided by a clock that was wrong.")
    job = serializers.UUIDField(allow_null=True, help_text="The job it made.")
    decided_at = serializers.DateTimeField()


class RunShape(serializers.Serializer[Any]):
    """A due time to come."""

    due_at = serializers.DateTimeField()
    local = serializers.CharField(help_text="The same on the clock of the task's zone.")
    note = serializers.CharField(help_text="What a change of that clock does to it; mostly blank.")


class NextRuns(serializers.Serializer[Any]):
    """The due times to come; none by hand only."""

    enabled = serializers.BooleanField(
        help_text="False: the task or its app is off, none of them will happen."
    )
    timezone = serializers.CharField()
    results = RunShape(many=True)


class PreviewShape(serializers.Serializer[Any]):
    """What a schedule means."""

    cron = serializers.CharField()
    timezone = serializers.CharField()
    words = serializers.CharField()
    results = RunShape(many=True)


class Look(serializers.Serializer[Any]):
    """One question and its answer."""

    name = serializers.CharField(help_text="inside, exists, readable, interpreter or compiles.")
    ok = serializers.BooleanField(allow_null=True, help_text="Null: not asked, for an answer before was no.")
    message = serializers.CharField()


class TestReport(serializers.Serializer[Any]):
    """Whether a script would run."""

    __test__ = False

    ok = serializers.BooleanField()
    looks = Look(many=True)
