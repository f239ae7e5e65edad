"""A definition and what people changed of it, as the one task that counts."""

from dataclasses import replace
from typing import Any, NamedTuple

from ..models import Task, TaskOverride
from .schema import Definition

LIMITS = ("max_runtime", "kill_on_timeout", "max_failures", "max_attempts", "backoff", "jitter")


class Effective(NamedTuple):
    definition: Definition
    source: str
    deleted: bool


def merge(definition: Definition, override: TaskOverride | None) -> Effective:
    """Null fields of the override change nothing; environment and parameters are merged by key."""
    if override is None:
        return Effective(definition, Task.Source.DEFAULT, False)
    changes: dict[str, Any] = {}
    if override.enabled is not None:
        changes["enabled"] = override.enabled
    if override.schedule is not None:
        changes |= {"schedule": override.schedule, "at": None}
    if override.environment:
        changes["environment"] = definition.environment | override.environment
    if override.parameters:
        changes["parameters"] = definition.parameters | override.parameters
    changes |= {name: value for name, value in (override.limits or {}).items() if name in LIMITS}
    source = Task.Source.OVERRIDDEN if changes else Task.Source.DEFAULT
    return Effective(replace(definition, **changes), source, override.deleted)
