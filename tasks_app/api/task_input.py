"""What callers send about tasks. The types are judged here, what the values say where files are read."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from taskhub.core.api.fields import JsonObject, Number, StrictSerializer, Switch, Text, Whole, shown
from taskhub.core.api.queries import OneOf, Query, SwitchFilter, TextFilter, WholeFilter
from tasks_app.models import Occurrence
from tasks_app.schedule import misfire, overlap, preview

# Parts of the shape that nobody sets.
READ_ONLY = frozenset({
    "id", "source", "custom", "deleted", "is_running", "last_run_at", "last_status", "next_due_at", "failure_count",
    "created_at", "last_modified",
})  # fmt: skip
ORDERS = (
    "name",
    "app",
    "next_due_at",
    "last_run_at",
    "last_status",
    "failure_count",
    "created_at",
    "last_modified",
)


class EnvironmentMap(JsonObject):
    """Names with texts; null takes back what was laid over the file's."""

    child = serializers.CharField(allow_null=True)

    def to_internal_value(self, data: object) -> dict[str, Any]:
        found = super().to_internal_value(data)
        for name, value in found.items():
            if value is not None and not isinstance(value, str):
                raise serializers.ValidationError(
                    f"expected names with texts, got {shown(name)}: {shown(value)}"
                )
        return found


class TerminationBody(StrictSerializer):
    """When a run is ended, and when the task is switched off."""

    max_runtime = Whole(required=False, allow_null=True, help_text="Seconds; -1 none; null the default.")
    kill_on_timeout = Switch(required=False, help_text="Otherwise it is only marked as overdue.")
    max_failures = Whole(
        required=False, allow_null=True, help_text="Consecutive failures that switch it off; null never."
    )


class RetryBody(StrictSerializer):
    """How often a failed run is tried again."""

    max_attempts = Whole(required=False, help_text="1 to 100; 1 is no retry.")
    backoff = Number(required=False, help_text="Seconds before the first retry; doubles with each.")
    jitter = Switch(required=False, help_text="True: each retry comes up to a quarter later, by chance.")


class TaskChanges(StrictSerializer):
    """What a task is to be. Of a task out of a file: enabled, schedule, maps, termination and retry only."""

    name = Text(required=False, allow_blank=True, help_text="1 to 128 characters, free in its app.")
    app = Text(required=False, allow_blank=True, help_text="Blank: the data folder's own. It stays.")
    description = Text(required=False, allow_blank=True)
    enabled = Switch(required=False)
    tags = serializers.ListField(
        child=Text(allow_blank=True), required=False,
        error_messages={"null": "expected a list of texts, got null",
                        "not_a_list": "expected a list of texts, got {input_type}"},
    )  # fmt: skip
    language = Text(
        required=False, allow_blank=True, help_text="One of `languages`; by the script's suffix if not given."
    )
    code = Text(required=False, allow_blank=True, help_text="Source text, at most 1 MiB; or `path`.")
    path = Text(required=False, allow_blank=True, help_text="A script inside the app's folder; or `code`.")
    parameters = JsonObject(
        required=False, help_text="With the environment at most 256 KiB. Of a file's task merged by key."
    )
    environment = EnvironmentMap(
        required=False, help_text="Of a task out of a file merged by key; null takes a change back."
    )
    schedule = Text(required=False, allow_null=True, allow_blank=True, help_text="Cron; null: by hand only.")
    at = Text(
        required=False, allow_null=True, help_text="One due time, as 2026-03-01T09:30; read in `timezone`."
    )
    timezone = Text(required=False, allow_blank=True, help_text="IANA name; UTC if not given.")
    misfire = Text(required=False, allow_blank=True, help_text=f"One of {', '.join(misfire.POLICIES)}.")
    overlap = Text(required=False, allow_blank=True, help_text=f"One of {', '.join(overlap.POLICIES)}.")
    pool = Text(required=False, allow_blank=True)
    priority = Whole(required=False, help_text="-100 to 100; higher first, then age.")
    idempotent = Switch(required=False, help_text="May run again when nobody knows whether it has run.")
    reuse = Switch(required=False, help_text="False: a fresh process for each run.")
    termination = TerminationBody(required=False)
    retry = RetryBody(required=False)


class NewTaskBody(TaskChanges):
    """A task to be made. Give either `code` or `path`."""

    name = Text(allow_blank=True, help_text="1 to 128 characters, free in its app.")


class WholeTaskBody(TaskChanges):
    """A task as a whole. The parts that only Taskhub sets may be there, and are passed over."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = {name: value for name, value in data.items() if name not in READ_ONLY}
        return super().to_internal_value(data)


class DuplicateBody(StrictSerializer):
    """What is to differ."""

    name = Text(required=False, allow_blank=True, help_text="A free one is found if not given.")
    schedule = Text(
        required=False, allow_null=True, allow_blank=True,
        help_text="Cron; null: by hand only. If not given it is kept, and the new task is disabled.",
    )  # fmt: skip
    app = Text(required=False, allow_blank=True, help_text="Blank: the data folder's own.")


class CopyBody(StrictSerializer):
    """Where to."""

    targetApp = Text(allow_blank=True, help_text="Name of an app; blank: the data folder's own.")


class TaskQuery(Query):
    """Filters of the list of tasks; all that are given must hold."""

    app = TextFilter(max_length=64, help_text="Name of the app; `-` for the data folder's own tasks.")
    enabled = SwitchFilter()
    status = OneOf(["success", "failed", "lost", "terminated", "stopped", "running", "never"],
                   help_text="How it ended last; `running` now, or `never` run.")  # fmt: skip
    search = TextFilter(help_text="Part of name or description, without case.")
    tag = TextFilter(max_length=64)
    deleted = SwitchFilter(help_text="True: those deleted by hand, which can be restored.")
    ordering = OneOf(
        [*ORDERS, *(f"-{name}" for name in ORDERS)],
        help_text="`-` turns it round; by app and name if not given.",
    )


class OccurrenceQuery(Query):
    """Filters of the due times of a task."""

    decision = OneOf(Occurrence.Decision.values)
    reason = TextFilter(max_length=32)


class NextRunsQuery(Query):
    """How many due times to tell."""

    count = WholeFilter(min_value=1, max_value=preview.MOST)


class PreviewQuery(NextRunsQuery):
    """A schedule that may become one."""

    cron = TextFilter(max_length=10_000, help_text="A cron expression or `@daily` and the like.")
    timezone = TextFilter(help_text="IANA name; UTC if not given.")


class ExportQuery(Query):
    """What to take out."""

    app = TextFilter(max_length=64, help_text="Of one app; `-` for the data folder's own tasks.")


class ImportQuery(Query):
    """Whether to try only."""

    dry_run = SwitchFilter(help_text="True: say what would be done, and do nothing.")
