"""What waits, runs and ran: jobs, what they were told, their history, and the engines that run them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from .states import TERMINAL, Held, JobState, Reason, Status

_TERMINAL = sorted(TERMINAL)


class JobQuerySet(models.QuerySet["Job"]):
    def waiting(self) -> "JobQuerySet":
        """Queued and handed to no runspace, whatever holds them back."""
        return self.filter(state=JobState.QUEUED, runspace__isnull=True)

    def open(self) -> "JobQuerySet":
        return self.exclude(state__in=TERMINAL)

    def ended(self) -> "JobQuerySet":
        return self.filter(state__in=TERMINAL)


class Job(models.Model):
    """One piece of work: a run of a task, an ad-hoc script, a call of an async route.

    Only `lifecycle.py` writes `state`, `attempt`, `fence`, `runspace` and what belongs to them.
    What was asked for (source text, parameters, environment) lies in `JobSpec`, so that the
    moves of a job never rewrite it. Wide columns stand last: lists read past none of them.
    """

    uuid = models.UUIDField(primary_key=True, editable=False, help_text="UUIDv7: sorts by age")
    public_id = models.CharField(max_length=64, unique=True, help_text="the API's `id`")
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="")
    state = models.CharField(max_length=16, choices=JobState, default=JobState.CREATED)
    reason = models.CharField(max_length=16, choices=Reason, blank=True, default="")
    attempt = models.PositiveIntegerField(default=1, help_text="the attempt that waits, runs or ran last")
    fence = models.PositiveBigIntegerField(
        default=0, help_text="+1 at each claim; a stale holder is told by it"
    )
    held = models.CharField(max_length=16, choices=Held, blank=True, default="")

    language = models.CharField(max_length=32)
    app = models.CharField(max_length=64, blank=True, default="")
    task = models.ForeignKey(
        "tasks_app.Task",
        null=True,
        blank=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="jobs",
        db_index=False,
    )
    pool = models.CharField(max_length=64, default="default")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
        db_index=False,
    )
    source = models.CharField(max_length=80, help_text="engine, manual, api, route, app:<name>")
    trigger = models.CharField(
        max_length=16, default="manual", help_text="scheduled, manual, api, retry, dependency"
    )
    affinity = models.CharField(
        max_length=128, help_text="app:<name> or owner:<id>: who shares a runspace with it"
    )
    priority = models.SmallIntegerField(default=0)
    timeout = models.IntegerField(default=600, help_text="seconds from the start; -1 none")
    kill_on_timeout = models.BooleanField(default=True)
    cancellable = models.BooleanField(default=True)
    max_attempts = models.PositiveSmallIntegerField(default=1)
    backoff = models.FloatField(default=30, help_text="seconds before the first retry; doubles")
    jitter = models.BooleanField(default=False, help_text="retries come up to a quarter later, by chance")
    idempotent = models.BooleanField(default=False)
    reuse = models.BooleanField(default=True)
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.DO_NOTHING, related_name="children", db_index=False
    )
    restarted_from = models.UUIDField(null=True, blank=True)

    due_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(null=True, blank=True)
    available_at = models.DateTimeField(null=True, blank=True, help_text="a retry waits until then")
    expires_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    overdue_at = models.DateTimeField(
        null=True, blank=True, help_text="ran past its time-out without being killed"
    )
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    cancel_now = models.BooleanField(default=False)
    cancelled_by = models.CharField(max_length=150, blank=True, default="")

    engine = models.BigIntegerField(null=True, blank=True)
    runspace = models.BigIntegerField(null=True, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    percent = models.FloatField(default=0)
    status_message = models.CharField(max_length=500, default="Not started")
    progress_at = models.DateTimeField()
    output_bytes = models.BigIntegerField(default=0)
    output_lines = models.BigIntegerField(default=0)
    output_dropped = models.BigIntegerField(default=0)
    survivors = models.TextField(blank=True, default="", help_text="processes that could not be killed")
    error_type = models.CharField(max_length=200, blank=True, default="")
    error_message = models.TextField(blank=True, default="")
    error_traceback = models.TextField(blank=True, default="")
    result = models.TextField(null=True, blank=True)  # noqa: DJ001 - JSON text; null: there is none

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-uuid"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=_TERMINAL, finished_at__isnull=False)
                | (~Q(state__in=_TERMINAL) & Q(finished_at__isnull=True)),
                name="job_finished_at_iff_terminal",
            ),
            models.CheckConstraint(
                condition=~Q(state="running") | Q(started_at__isnull=False, runspace__isnull=False),
                name="job_running_has_start_and_runspace",
            ),
        ]
        indexes = [
            # Read by the dispatcher: claimable jobs in the order they are taken. Nothing handed out,
            # held back or ended enters it, so its length is the length of the queue.
            models.Index(
                "pool",
                F("priority").desc(),
                "uuid",
                name="job_claim_order",
                condition=Q(state="queued", runspace__isnull=True, held=""),
            ),
            # Retries that wait for their time, jobs that wait for a limit.
            models.Index("held", "available_at", name="job_held", condition=~Q(held="")),
            # Handed out or running: the watchdog, the rescuer, the counts of what runs.
            models.Index(
                "engine",
                "state",
                name="job_in_hand",
                condition=Q(runspace__isnull=False, finished_at__isnull=True),
            ),
            # Cancel requests no engine has answered yet.
            models.Index(
                "engine",
                name="job_cancel_asked",
                condition=Q(cancel_requested_at__isnull=False, finished_at__isnull=True),
            ),
            models.Index(
                "expires_at",
                name="job_expires",
                condition=Q(expires_at__isnull=False, finished_at__isnull=True),
            ),
            models.Index("state", F("uuid").desc(), name="job_state_newest"),
            models.Index("task", F("uuid").desc(), name="job_task_newest", condition=Q(task__isnull=False)),
            # Whether a task still runs, and how many task jobs count against the limit.
            models.Index(
                "held",
                "task",
                name="job_task_open",
                condition=Q(task__isnull=False, finished_at__isnull=True),
            ),
            # Task jobs that wait for room under the limit, in the order they get it.
            models.Index(
                F("priority").desc(),
                "uuid",
                name="job_limit_order",
                condition=Q(state="queued", held="limit"),
            ),
            models.Index(
                "owner", F("uuid").desc(), name="job_owner_newest", condition=Q(owner__isnull=False)
            ),
            models.Index("parent", name="job_parent", condition=Q(parent__isnull=False)),
            # Retention, oldest end first.
            models.Index("finished_at", name="job_finished", condition=Q(finished_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_terminal(self) -> bool:
        return self.state in TERMINAL

    @property
    def is_stopping(self) -> bool:
        return self.cancel_requested_at is not None and not self.is_terminal

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None unless both are known."""
        if self.started_at is None or self.finished_at is None:
            return None
        return (self.finished_at - self.started_at).total_seconds()

    @property
    def waiting_for(self) -> str | None:
        """What a queued job waits for: `retry`, `limit`, `overlap` or a free `runspace`."""
        if self.state != JobState.QUEUED or self.runspace is not None:
            return None
        return self.held or "runspace"


class JobSpec(models.Model):
    """What a job was asked to do; written once, read by the engine at the claim."""

    job = models.OneToOneField(Job, primary_key=True, on_delete=models.CASCADE, related_name="spec")
    code = models.TextField(blank=True, default="")
    path = models.CharField(max_length=512, blank=True, default="")
    parameters = models.TextField(default="{}", help_text="JSON object")
    environment = models.TextField(default="{}", help_text="JSON object of texts")
    callback = models.TextField(blank=True, default="", help_text="JSON object; blank: none")

    def __str__(self) -> str:
        return str(self.job_id)


class Execution(models.Model):
    """The history of one attempt; inserted once, at its end, and outlives job, task and user."""

    job = models.UUIDField()
    public_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    task = models.BigIntegerField(null=True, blank=True)
    app = models.CharField(max_length=64, blank=True, default="")
    pool = models.CharField(max_length=64, blank=True, default="")
    runspace = models.BigIntegerField(null=True, blank=True)
    language = models.CharField(max_length=32, blank=True, default="")
    attempt = models.PositiveIntegerField(help_text="0: ended before any start")
    status = models.CharField(max_length=16, choices=Status)
    reason = models.CharField(max_length=16, choices=Reason, blank=True, default="")
    source = models.CharField(max_length=80, blank=True, default="")
    trigger = models.CharField(max_length=16, blank=True, default="")
    owner = models.BigIntegerField(null=True, blank=True)
    cancelled_by = models.CharField(max_length=150, blank=True, default="")
    due_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField()
    exit_code = models.IntegerField(null=True, blank=True)
    output_bytes = models.BigIntegerField(default=0)
    output_lines = models.BigIntegerField(default=0)
    output_preview = models.TextField(blank=True, default="", help_text="the last 2 KiB")
    error_type = models.CharField(max_length=200, blank=True, default="")
    error_message = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-id"]
        constraints = [
            # The end of an attempt is written by whoever moves the job; a second writer has to fail.
            models.UniqueConstraint(fields=["job", "attempt"], name="execution_one_per_attempt"),
        ]
        indexes = [
            models.Index(
                "task", F("id").desc(), name="execution_task_newest", condition=Q(task__isnull=False)
            ),
            models.Index("status", F("id").desc(), name="execution_status_newest"),
            # Charts by time, retention.
            models.Index("finished_at", name="execution_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.name} #{self.attempt}"

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None without a start."""
        return None if self.started_at is None else (self.finished_at - self.started_at).total_seconds()


class Engine(models.Model):
    """A process that decides, claims and writes; it beats every 5 s while it lives."""

    class State(models.TextChoices):
        RUNNING = "running"
        DRAINING = "draining"
        STOPPED = "stopped"
        DEAD = "dead"

    host = models.CharField(max_length=255)
    host_id = models.CharField(max_length=64, help_text="tells two hosts apart that share a name")
    home = models.CharField(max_length=1024, help_text="data folder")
    pid = models.IntegerField()
    pid_start = models.BigIntegerField(help_text="start time in clock ticks since boot")
    boot_id = models.CharField(max_length=64)
    version = models.CharField(max_length=32)
    state = models.CharField(max_length=16, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField(help_text="wall clock, for people")
    beat_boot = models.FloatField(help_text="seconds on the boot clock, for the decision whether it is dead")
    stopped_at = models.DateTimeField(null=True, blank=True)
    settled_by = models.BigIntegerField(null=True, blank=True, help_text="the engine that settles its jobs")
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state"], name="engine_state"),
        ]

    def __str__(self) -> str:
        return f"engine {self.pk} on {self.host}"


class SharedState(models.Model):
    """One value of the `state` map that the scripts of one app or owner share."""

    scope = models.CharField(max_length=128, help_text="the job's affinity")
    key = models.CharField(max_length=200)
    value = models.TextField(help_text="JSON")
    version = models.PositiveBigIntegerField(default=1, help_text="+1 at each change; update() compares it")
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["scope", "key"]
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="state_one_value_per_key")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.key}"
