"""Retention: what is old enough goes, in small batches, oldest first. What runs is never touched."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from jobs_app import family
from jobs_app.models import Execution, Job
from runspaces_app.models import Runspace, RunspaceSample
from taskhub.core import runtime_settings
from taskhub.core.clock import Clock
from taskhub.core.models import IdempotencyKey
from tasks_app.models import Occurrence

log = logging.getLogger("taskhub.engine")

BATCH = 500
EVERY_SECONDS = 60.0
SAMPLES_FOR = timedelta(hours=24)
KEYS_FOR = timedelta(hours=24)
# A cursor that went back with the clock must still find what was decided.
CURSOR_MARGIN = timedelta(days=8)


class Housekeeper:
    """One per engine; `step` deletes one batch of each kind and comes back at once while there is more."""

    def __init__(self, *, clock: Clock) -> None:
        self._clock = clock
        self._at = 0.0

    def step(self) -> bool:
        if self._clock.monotonic() < self._at:
            return False
        now = self._clock.now()
        limit = now - timedelta(days=runtime_settings.get("history_retention_days"))
        more = any([
            remove_jobs(before=limit),
            _remove(Execution, finished_at__lt=limit),
            _remove_occurrences(before=limit),
            _remove(Runspace, state__in=("closed", "broken"), closed_at__lt=limit),
            _remove(RunspaceSample, at__lt=now - SAMPLES_FOR),
            _remove(IdempotencyKey, created_at__lt=now - KEYS_FOR),
        ])  # fmt: skip
        self._at = self._clock.monotonic() + (1.0 if more else EVERY_SECONDS)
        return more


def remove_jobs(*, before: datetime) -> bool:
    """Remove ended jobs with their whole tree and their output; True if there may be more."""
    roots = list(
        Job.objects.filter(finished_at__lt=before, parent__isnull=True)
        .order_by("finished_at")
        .values_list("pk", flat=True)[:BATCH]
    )
    removed: list[UUID] = []
    with transaction.atomic():
        for root in roots:
            tree = [root, *family.descendants(root)]
            if Job.objects.filter(pk__in=tree).open().exists():
                continue  # a child of it still runs
            family.delete(tree)
            removed += tree
            if len(removed) >= BATCH:
                break
    family.forget_output(removed)
    if removed:
        log.info("removed %s jobs that ended before %s", len(removed), before)
    return len(removed) >= BATCH


def _remove(model, **conditions) -> bool:  # type: ignore[no-untyped-def]
    keys = list(model.objects.filter(**conditions).order_by("pk").values_list("pk", flat=True)[:BATCH])
    if keys:
        model.objects.filter(pk__in=keys)._raw_delete(using="default")
    return len(keys) == BATCH


def _remove_occurrences(*, before: datetime) -> bool:
    old = Occurrence.objects.filter(decided_at__lt=before, due_at__lt=before - CURSOR_MARGIN)
    keys = [
        pk
        for pk, due_at, cursor in old.order_by("decided_at").values_list("pk", "due_at", "task__next_due_at")[
            :BATCH
        ]
        if cursor is None or due_at < cursor - CURSOR_MARGIN
    ]
    if keys:
        Occurrence.objects.filter(pk__in=keys)._raw_delete(using="default")
    return len(keys) == BATCH
