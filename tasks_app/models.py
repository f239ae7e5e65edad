"""What should run and when: tasks, what people changed of them, and what became of each due time."""

from django.db import models
from django.db.models import Q


class Task(models.Model):
    """A definition in its effective form: what runs, when, and within which limits.

    Durations are seconds; -1 means no limit. `next_due_at` is the schedule's cursor:
    the earliest due time not yet decided.
    """

    class Source(models.TextChoices):
        DEFAULT = "default"
        OVERRIDDEN = "overridden"
        CUSTOM = "custom"

    name = models.CharField(max_length=128)
    app = models.CharField(
        max_length=64, blank=True, default="", help_text="hosted app; blank: the data folder's own"
    )
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True)
    source = models.CharField(max_length=16, choices=Source, default=Source.DEFAULT)
    deleted = models.BooleanField(default=False)
    tags = models.JSONField(default=list, blank=True)

    language = models.CharField(max_length=32, default="python")
    code = models.TextField(blank=True, default="")
    path = models.CharField(
        max_length=512, blank=True, default="", help_text="script inside the app's folder"
    )
    parameters = models.JSONField(default=dict, blank=True)
    environment = models.JSONField(default=dict, blank=True)

    schedule = models.CharField(max_length=256, blank=True, default="", help_text="cron; blank: by hand only")
    at = models.DateTimeField(null=True, blank=True, help_text="one-off due time")
    timezone = models.CharField(max_length=64, default="UTC")
    misfire = models.CharField(max_length=16, default="run_once")
    overlap = models.CharField(max_length=16, default="skip")
    pool = models.CharField(max_length=64, default="default")
    priority = models.SmallIntegerField(default=0)
    idempotent = models.BooleanField(default=False)
    reuse = models.BooleanField(default=True)

    max_runtime = models.IntegerField(null=True, blank=True, help_text="null: the default of the settings")
    kill_on_timeout = models.BooleanField(default=True)
    max_failures = models.PositiveIntegerField(null=True, blank=True)
    max_attempts = models.PositiveSmallIntegerField(default=1)
    backoff = models.FloatField(default=30)
    jitter = models.BooleanField(default=False, help_text="retries come up to a quarter later, by chance")

    next_due_at = models.DateTimeField(null=True, blank=True)
    schedule_version = models.PositiveIntegerField(default=1)
    last_run_at = models.DateTimeField(null=True, blank=True)
    last_status = models.CharField(max_length=16, blank=True, default="")
    failure_count = models.PositiveIntegerField(default=0, help_text="consecutive failures")
    created_at = models.DateTimeField(auto_now_add=True)
    last_modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["app", "name"]
        constraints = [models.UniqueConstraint(fields=["app", "name"], name="task_one_name_per_app")]
        indexes = [
            # The scheduler's step: only what can fire enters it, so idle tasks cost nothing.
            models.Index(
                fields=["next_due_at"], name="task_next_due", condition=Q(next_due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app}/{self.name}" if self.app else self.name


class TaskOverride(models.Model):
    """What people changed of a default task; null means not changed."""

    app = models.CharField(max_length=64, blank=True, default="")
    name = models.CharField(max_length=128)
    enabled = models.BooleanField(null=True, blank=True)
    schedule = models.CharField(max_length=256, null=True, blank=True)  # noqa: DJ001 - null: not overridden
    environment = models.JSONField(null=True, blank=True)
    parameters = models.JSONField(null=True, blank=True)
    limits = models.JSONField(null=True, blank=True)
    deleted = models.BooleanField(default=False)
    last_modified = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["app", "name"]
        constraints = [models.UniqueConstraint(fields=["app", "name"], name="override_one_per_task")]

    def __str__(self) -> str:
        return f"{self.app}/{self.name}" if self.app else self.name


class Occurrence(models.Model):
    """A due time of a task and what was decided about it.

    `job` is the plain uuid of the job that a fired one made; `until` and `count`
    let one row stand for a stretch of due times that share a reason.
    """

    class Decision(models.TextChoices):
        FIRED = "fired"
        SKIPPED = "skipped"

    task = models.ForeignKey(Task, on_delete=models.DO_NOTHING, related_name="occurrences")
    due_at = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)
    count = models.PositiveIntegerField(default=1)
    decision = models.CharField(max_length=16, choices=Decision)
    reason = models.CharField(max_length=32, blank=True, default="")
    void = models.BooleanField(default=False)
    job = models.UUIDField(null=True, blank=True)
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["-due_at", "-id"]
        constraints = [
            # Two engines may see the same due time; the second insert has to fail.
            models.UniqueConstraint(
                fields=["task", "due_at"], condition=Q(void=False), name="occurrence_one_per_due_time"
            ),
        ]
        indexes = [
            models.Index(fields=["decided_at"], name="occurrence_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.task_id} at {self.due_at}: {self.decision}"
