"""Parents and children: who belongs to whom, and removing a job with all that came from it."""

import contextlib
from datetime import datetime
from uuid import UUID

from django.db import transaction

from taskhub.core import audit
from taskhub.core.audit import Actor

from . import lifecycle, output
from .errors import JobEnded, JobNotFound, JobStillOpen
from .models import Job, JobSpec
from .states import TERMINAL


def descendants(uuid: UUID) -> list[UUID]:
    """Children, their children and so on, nearest first."""
    found: list[UUID] = []
    level = [uuid]
    while level:
        level = list(Job.objects.filter(parent__in=level).values_list("pk", flat=True))
        found.extend(level)
    return found


def remove(uuid: UUID, *, by: Actor, now: datetime, stop: bool = False) -> None:
    """Remove an ended job with all its descendants and their output; the history stays.

    Args:
        stop: ask those that have not ended to stop first; the call still fails until they have.

    Raises:
        JobNotFound, JobStillOpen (nothing was removed).
    """
    if stop:
        for member in [uuid, *descendants(uuid)]:
            with contextlib.suppress(JobEnded, JobNotFound):
                lifecycle.request_cancel(member, by=by, now=now)
    with transaction.atomic():
        # Parents are locked first, and a new child locks its parent: none can appear meanwhile.
        family = [uuid, *descendants(uuid)]
        locked = Job.objects.select_for_update().filter(pk__in=family).order_by("pk")
        rows = dict(locked.values_list("pk", "state"))
        if uuid not in rows:
            raise JobNotFound(f"id: expected the id of a job, got {uuid}")
        family = [uuid, *descendants(uuid)]
        still_open = [member for member in family if rows.get(member, "new") not in TERMINAL]
        if still_open:
            raise JobStillOpen(
                f"state: expected the job and its descendants to have ended, got {len(still_open)} that have not",
                fields={"state": rows.get(still_open[0], "created")},
            )
        delete(family)
        audit.record(
            actor=by, action="job.remove", object_type="job", object_id=str(uuid), now=now,
            after={"removed": len(family)},
        )  # fmt: skip
        transaction.on_commit(lambda: forget_output(family))


def delete(uuids: list[UUID]) -> None:
    """Delete the rows of these ended jobs inside the caller's transaction."""
    JobSpec.objects.filter(pk__in=uuids)._raw_delete(using="default")
    Job.objects.filter(pk__in=uuids)._raw_delete(using="default")


def forget_output(uuids: list[UUID]) -> None:
    for uuid in uuids:
        output.remove(uuid)
