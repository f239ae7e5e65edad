"""The rows of runspaces: what the engine writes of those it looks after."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from .measure import Measured
from .member import Member
from .models import Pool, Runspace, RunspaceSample
from .recycling import PoolSettings


def local_pools() -> dict[str, PoolSettings]:
    """The pools whose runspaces an engine owns itself, by name."""
    found = Pool.objects.filter(backend="local").values_list(*PoolSettings._fields)
    return {row[0]: PoolSettings(*row) for row in found}


def write(changed: Sequence[Member], closed: Sequence[Member], *, now: datetime) -> None:
    """Bring the rows in step with the runspaces that changed and those that are gone."""
    if not changed and not closed:
        return
    with transaction.atomic():
        for member in changed:
            Runspace.objects.filter(pk=member.id).update(
                pid=member.process.pid, pid_start=member.process.start, affinity=member.affinity,
                availability="busy" if member.held else "available", job=member.held[0].uuid if member.held else None,
                jobs_run=member.jobs_run, seen_at=now, memory_bytes=member.memory, threads=member.threads,
                handles=member.handles,
            )  # fmt: skip
        for member in closed:
            Runspace.objects.filter(pk=member.id).update(
                state="broken" if member.broken else "closed", availability="available", job=None, closed_at=now,
                close_reason=member.close_reason[:200], jobs_run=member.jobs_run, pid=member.process.pid,
                pid_start=member.process.start, affinity=member.affinity, seen_at=now,
            )  # fmt: skip


def save_samples(measured: Mapping[int, Measured], *, now: datetime) -> None:
    """Keep one measurement of each of these runspaces."""
    samples = [
        RunspaceSample(
            runspace_id=runspace, at=now, memory_bytes=one.memory, threads=one.threads, handles=one.handles
        )
        for runspace, one in measured.items()
    ]
    if samples:
        RunspaceSample.objects.bulk_create(samples)


def asked_to_close(engine: int) -> list[int]:
    """Ids of the engine's runspaces that a person wants closed."""
    asked = Runspace.objects.filter(engine=engine, state="opened", close_requested_at__isnull=False)
    return list(asked.values_list("pk", flat=True))
