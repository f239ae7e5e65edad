"""Pools of warm workers, the workers themselves, and what was measured of them."""

from django.db import models
from django.db.models import Q


class Pool(models.Model):
    """How many runspaces there may be of one kind, and when they are replaced.

    A limit of -1 means none. Durations are seconds, sizes bytes.
    """

    class Backend(models.TextChoices):
        LOCAL = "local"
        CELERY = "celery"

    class Kind(models.TextChoices):
        LEAN = "lean", "lean (standard library only)"
        DJANGO = "django", "django (with Django set up)"

    name = models.CharField(max_length=64, primary_key=True)
    description = models.TextField(blank=True, default="")
    backend = models.CharField(max_length=16, choices=Backend, default=Backend.LOCAL)
    kind = models.CharField(max_length=16, choices=Kind, default=Kind.LEAN)
    enabled = models.BooleanField(default=True)
    min_runspaces = models.PositiveIntegerField(default=2)
    max_runspaces = models.PositiveIntegerField(default=10)
    idle_seconds = models.IntegerField(default=300)
    grace_seconds = models.FloatField(default=5)
    drain_seconds = models.FloatField(default=30)
    reuse = models.BooleanField(default=True)
    max_jobs = models.IntegerField(default=-1)
    max_age_seconds = models.IntegerField(default=86_400)
    max_memory_bytes = models.BigIntegerField(default=512 * 1024 * 1024)
    output_cap_bytes = models.BigIntegerField(default=10 * 1024 * 1024)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(condition=Q(max_runspaces__gt=0), name="pool_max_above_zero"),
            models.CheckConstraint(
                condition=Q(min_runspaces__lte=models.F("max_runspaces")), name="pool_min_within_max"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Runspace(models.Model):
    """One worker process. The row stays after its end, with the reason it was closed."""

    class State(models.TextChoices):
        OPENED = "opened"
        CLOSED = "closed"
        BROKEN = "broken"

    class Availability(models.TextChoices):
        AVAILABLE = "available"
        BUSY = "busy"

    pool = models.CharField(max_length=64)
    engine = models.BigIntegerField(help_text="id of the engine that owns the process")
    number = models.PositiveIntegerField(help_text="shown in the process title; free numbers are used again")
    pid = models.IntegerField()
    pid_start = models.BigIntegerField(
        help_text="start time in clock ticks since boot; tells a reused pid apart"
    )
    state = models.CharField(max_length=16, choices=State, default=State.OPENED)
    availability = models.CharField(max_length=16, choices=Availability, default=Availability.AVAILABLE)
    affinity = models.CharField(
        max_length=128, blank=True, default="", help_text="app:<name> or owner:<id> it serves"
    )
    job = models.UUIDField(null=True, blank=True, help_text="the job it runs now; a plain id")
    jobs_run = models.PositiveIntegerField(default=0)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=200, blank=True, default="")
    close_requested_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(help_text="when the engine last sampled it")
    threads = models.IntegerField(default=0)
    handles = models.IntegerField(default=0)
    memory_bytes = models.BigIntegerField(default=0, help_text="PSS with children")

    class Meta:
        ordering = ["-id"]
        indexes = [
            # Lists of what is open now, and the settling of a dead engine.
            models.Index(fields=["engine", "state"], name="runspace_engine_state"),
            models.Index(fields=["state", "-id"], name="runspace_state_id"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="opened", closed_at__isnull=True) | ~Q(state="opened"),
                name="runspace_opened_is_not_closed",
            ),
        ]

    def __str__(self) -> str:
        return f"runspace {self.pk}"


class RunspaceSample(models.Model):
    """One measurement of a runspace; kept 24 hours."""

    runspace = models.ForeignKey(
        Runspace, on_delete=models.DO_NOTHING, related_name="samples", db_constraint=False
    )
    at = models.DateTimeField()
    memory_bytes = models.BigIntegerField()
    threads = models.IntegerField()
    handles = models.IntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["runspace", "at"], name="sample_runspace_at"),
            models.Index(fields=["at"], name="sample_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.runspace_id} at {self.at}"
