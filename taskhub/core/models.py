"""Rows every part shares: who did what, what is set, who may call, what was answered."""

from collections.abc import Iterable
from typing import Any, NoReturn

from django.conf import settings
from django.db import models

from .errors import Conflict


class AppendOnly(Conflict):
    """Audit entries are written once and stay as they are."""

    code = "append_only"

    def __init__(self, tried: str) -> None:
        super().__init__(f"audit entries: expected only new ones, got {tried}")


class AuditQuerySet(models.QuerySet["AuditEntry"]):
    """Reads and adds; whatever else Django's managers offer is refused, to administrators too."""

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnly("a change")

    def _update(self, values: Any) -> NoReturn:
        raise AppendOnly("a change")

    def bulk_update(self, objs: Iterable["AuditEntry"], *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("a change")

    def delete(self) -> NoReturn:
        raise AppendOnly("a removal")

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise AppendOnly("a removal")

    def bulk_create(self, objs: Iterable["AuditEntry"], *args: Any, **kwargs: Any) -> list["AuditEntry"]:
        if args[1:] or kwargs.get("update_conflicts"):
            raise AppendOnly("a change")
        return super().bulk_create(objs, *args, **kwargs)


class AuditEntry(models.Model):
    """One change, run, stop or refused sign-in. Append-only; plain ids, so it outlives its objects."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=150, help_text="user name, or engine / system")
    actor_id = models.BigIntegerField(null=True, blank=True)
    address = models.CharField(max_length=64, blank=True, default="", help_text="where it came from")
    action = models.CharField(max_length=64, help_text="<object>.<verb>, as job.cancel")
    object_type = models.CharField(max_length=32, blank=True, default="")
    object_id = models.CharField(max_length=128, blank=True, default="")
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    result = models.CharField(max_length=16, default="ok", help_text="ok, refused or failed")
    message = models.TextField(blank=True, default="")

    objects = AuditQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        # Model.delete and cascades go by the base manager, so that one has to refuse as well.
        base_manager_name = "objects"
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_object"),
            models.Index(fields=["actor", "-id"], name="audit_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly("a change")
        super().save(*args, **{**kwargs, "force_insert": True})

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly("a removal")


class Setting(models.Model):
    """A run-time setting that differs from its default."""

    name = models.CharField(max_length=64, primary_key=True)
    value = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ApiToken(models.Model):
    """A bearer token; only its SHA-256 is stored. `prefix` lets its owner tell tokens apart."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(
        max_length=32, blank=True, default="", help_text="a role that bounds it; blank: the user's own"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class IdempotencyKey(models.Model):
    """The answer a POST gave, kept 24 hours for equal calls with the same key."""

    caller = models.CharField(max_length=64)
    path = models.CharField(max_length=255)
    key = models.CharField(max_length=255)
    body_digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="null while the first call runs"
    )
    answer = models.TextField(blank=True, default="", help_text="JSON")
    headers = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            # Fifty equal calls at once: one insert wins, the others wait for its answer.
            models.UniqueConstraint(fields=["caller", "path", "key"], name="idempotency_one_per_call"),
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_retention")]

    def __str__(self) -> str:
        return f"{self.path} {self.key}"
