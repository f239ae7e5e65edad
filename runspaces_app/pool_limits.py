"""Changing the limits of a pool; engines read them again within seconds."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import transaction

from taskhub.core import audit, wake
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput, NotFound

from .models import Pool

_DAY = 86_400


class _Range(NamedTuple):
    least: float
    most: float
    or_none: bool = False

    def words(self) -> str:
        return f"a number from {self.least:g} to {self.most:g}" + (", or -1 for none" if self.or_none else "")


# What a person may change, and within which bounds; switches have none.
LIMITS: dict[str, _Range | None] = {
    "description": None,
    "enabled": None,
    "min_runspaces": _Range(0, 1000),
    "max_runspaces": _Range(1, 1000),
    "idle_seconds": _Range(1, 365 * _DAY, or_none=True),
    "grace_seconds": _Range(0, 600),
    "drain_seconds": _Range(0, _DAY),
    "reuse": None,
    "max_jobs": _Range(1, 1_000_000_000, or_none=True),
    "max_age_seconds": _Range(60, 365 * _DAY, or_none=True),
    "max_memory_bytes": _Range(16 * 1024 * 1024, 2**50, or_none=True),
    "output_cap_bytes": _Range(1024 * 1024, 2**50, or_none=True),
}


def change(name: str, changes: Mapping[str, Any], *, by: Actor, now: datetime) -> Pool:
    """Set some limits of a pool and wake the engines; with nothing to change, nothing is written.

    Raises:
        NotFound, BadInput: naming the first limit that is wrong; nothing was changed.
    """
    for field, value in changes.items():
        _check(field, value)
    with transaction.atomic():
        pool = Pool.objects.select_for_update().filter(pk=name).first()
        if pool is None:
            raise NotFound(f"name: expected the name of a pool, got {name!r:.80}")
        before = {field: getattr(pool, field) for field in changes if getattr(pool, field) != changes[field]}
        if not before:
            return pool
        for field in before:
            setattr(pool, field, changes[field])
        if pool.min_runspaces > pool.max_runspaces:
            raise BadInput(
                f"min_runspaces: expected at most {pool.max_runspaces}, got {pool.min_runspaces}",
                fields={"min_runspaces": f"expected at most {pool.max_runspaces}"},
            )
        pool.save(update_fields=[*before, "updated_at"])
        audit.record(
            actor=by,
            action="pool.change",
            object_type="pool",
            object_id=name,
            now=now,
            before=before,
            after={field: changes[field] for field in before},
        )
        transaction.on_commit(wake.wake_engines)
    return pool


def _check(field: str, value: Any) -> None:
    if field not in LIMITS:
        raise BadInput(f"{field}: expected one of {', '.join(LIMITS)}", fields={field: "cannot be changed"})
    bounds = LIMITS[field]
    if bounds is None:
        wanted: type = str if field == "description" else bool
        if not isinstance(value, wanted):
            raise BadInput(
                f"{field}: expected {wanted.__name__}, got {value!r:.80}",
                fields={field: f"expected {wanted.__name__}"},
            )
        return
    seconds = field in ("grace_seconds", "drain_seconds")
    number = isinstance(value, (int, float) if seconds else int) and not isinstance(value, bool)
    if number and (bounds.least <= value <= bounds.most or (bounds.or_none and value == -1)):
        return
    raise BadInput(
        f"{field}: expected {bounds.words()}, got {value!r:.80}", fields={field: f"expected {bounds.words()}"}
    )
