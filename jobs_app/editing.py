"""Changing what people call a job."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from taskhub.core import audit
from taskhub.core.audit import Actor
from taskhub.core.guards import json as json_guard

from .errors import JobNotFound
from .models import Job


def change(
    uuid: UUID, *, name: str | None = None, description: str | None = None, by: Actor, now: datetime
) -> None:
    """Set name or description; None leaves it as it is.

    Raises:
        JobNotFound, BadInput: a blank name, a text too long; nothing was changed.
    """
    changes = {}
    if name is not None:
        changes["name"] = json_guard.check_text(name, "name", max_length=200, blank=False).strip()
    if description is not None:
        changes["description"] = json_guard.check_text(description, "description", max_length=10_000)
    with transaction.atomic():
        job = Job.objects.select_for_update().filter(pk=uuid).only("name", "description").first()
        if job is None:
            raise JobNotFound(f"id: expected the id of a job, got {uuid}")
        before = {field: getattr(job, field) for field in changes if getattr(job, field) != changes[field]}
        if not before:
            return
        Job.objects.filter(pk=uuid).update(**{field: changes[field] for field in before})
        audit.record(
            actor=by, action="job.edit", object_type="job", object_id=str(uuid), now=now,
            before=before, after={field: changes[field] for field in before},
        )  # fmt: skip
