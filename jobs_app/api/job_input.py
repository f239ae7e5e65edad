"""What callers send about jobs."""

from rest_framework import serializers

from jobs_app.states import Reason, Status
from taskhub.core.api.fields import JsonObject, StrictSerializer, Switch, Text, TextMap, Whole
from taskhub.core.api.queries import OneOf, Query, SwitchFilter, TextFilter, TimeFilter, WholeFilter

LONGEST_WAIT = 3_600


class NewJobBody(StrictSerializer):
    """A job to be made. Give either `code` or `path`."""

    id = Text(
        required=False, allow_null=True, max_length=64, help_text="Own id: 1 to 64 of A-Z a-z 0-9 . _ -"
    )
    name = Text(required=False, allow_blank=True, max_length=200, help_text="Blank: `Job <id>`.")
    description = Text(required=False, allow_blank=True, max_length=10_000)
    language = Text(max_length=32, help_text="One of `languages`.")
    code = Text(required=False, allow_blank=True, help_text="Source text, at most 1 MiB.")
    path = Text(
        required=False, allow_blank=True, max_length=512, help_text="A script inside the folder of `app`."
    )
    app = Text(required=False, allow_blank=True, max_length=64)
    parameters = JsonObject(required=False, help_text="With the environment at most 256 KiB.")
    environment = TextMap(required=False)
    pool = Text(required=False, max_length=64)
    priority = Whole(required=False, min_value=-100, max_value=100, help_text="Higher first, then age.")
    timeout = Whole(
        required=False, allow_null=True, help_text="Seconds from the start; -1 none; null the default."
    )
    parent = Text(required=False, allow_null=True, max_length=64, help_text="Id of the job it belongs to.")  # type: ignore[assignment] # as the API names it
    start = Switch(required=False, help_text="Start it at once.")
    cancellable = Switch(required=False)
    max_attempts = Whole(required=False, min_value=1, max_value=100)
    idempotent = Switch(required=False, help_text="May run again when nobody knows whether it has run.")


class JobChanges(StrictSerializer):
    """What may be changed later."""

    name = Text(required=False, max_length=200)
    description = Text(required=False, allow_blank=True, max_length=10_000)


class CancelBody(StrictSerializer):
    """How to stop."""

    now = Switch(
        required=False, help_text="Kill without grace, also what is not cancellable; for system_admin."
    )


class JobQuery(Query):
    """Filters of the list of jobs; all that are given must hold."""

    state = TextFilter(
        help_text="created, queued, running, completed, failed, stopped; also NotStarted, Success, Aborted, "
        "Terminated. Several joined by commas."
    )
    reason = OneOf(Reason.values)
    owner = TextFilter(max_length=150, help_text="User name.")
    task = TextFilter(help_text="Id or name of a task.")
    app = TextFilter(max_length=64)
    pool = TextFilter(max_length=64)
    language = TextFilter(max_length=32)
    parent = TextFilter(max_length=64, help_text="Id of the parent.")  # type: ignore[assignment] # as the API names it
    search = TextFilter(help_text="Part of name or id, without case.")
    created_after = TimeFilter(help_text="From this time on.")
    created_before = TimeFilter(help_text="Before this time.")


class WaitQuery(Query):
    """Whether to wait for the end."""

    wait = serializers.FloatField(
        required=False, min_value=0, max_value=LONGEST_WAIT,
        help_text="Answer when the job has ended, or after so many seconds.",
    )  # fmt: skip


class RemoveQuery(Query):
    """Whether to stop first."""

    stop = SwitchFilter(help_text="Stop it and its descendants first.")


class ExecutionQuery(Query):
    """Filters of the history."""

    status = OneOf(Status.values)
    task = TextFilter(help_text="Id or name of a task.")
    job = TextFilter(max_length=64, help_text="Id or uuid of a job.")
    app = TextFilter(max_length=64)
    owner = TextFilter(max_length=150, help_text="User name.")
    search = TextFilter(help_text="Part of the job's name, without case.")
    finished_after = TimeFilter(help_text="From this time on.")
    finished_before = TimeFilter(help_text="Before this time.")


class OutputQuery(Query):
    """A range of bytes (`offset`, `limit`) or of lines (`line`, `lines`)."""

    offset = WholeFilter(help_text="Logical offset of the first byte.")
    limit = WholeFilter(help_text="Bytes at most; never more than 1 MiB.")
    line = WholeFilter(min_value=1, help_text="Number of the first line.")
    lines = WholeFilter(help_text="Lines at most; never more than 10,000.")
    stream = OneOf(["stdout", "stderr"], help_text="Both if not given.")
    attempt = WholeFilter(help_text="The last one if not given.")


class SearchQuery(Query):
    """What to look for in the output."""

    q = serializers.CharField(
        max_length=1000, trim_whitespace=False, help_text="Text; ASCII letters without case."
    )
    limit = WholeFilter(max_value=1000, help_text="Matching lines at most.")
    after_line = WholeFilter(help_text="Go on behind this line.")
    stream = OneOf(["stdout", "stderr"])
    attempt = WholeFilter(help_text="The last one if not given.")


class DownloadQuery(Query):
    """Which part of the output to download."""

    stream = OneOf(["stdout", "stderr"])
    attempt = WholeFilter(help_text="The last one if not given.")


class EventsQuery(Query):
    """What the events carry."""

    result = SwitchFilter(help_text="The end event carries the result too.")
