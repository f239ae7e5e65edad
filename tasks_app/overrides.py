"""What people change of a task out of a file: the row that keeps it, and what it makes of the task."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from runspaces_app.models import Pool

from .definitions import Definition, files, schema, store
from .definitions.merge import LIMITS
from .definitions.sources import source_of
from .errors import BadTask, DefinedByFile, NoDefinition
from .models import TaskOverride

MAPS = ("environment", "parameters")
PLAIN = ("enabled", "schedule")
FIELDS = (*PLAIN, *MAPS, *LIMITS)


def pools() -> frozenset[str]:
    return frozenset(Pool.objects.values_list("name", flat=True))


def entry_of(definition: Definition) -> dict[str, Any]:
    """A definition as `schema.check` takes it: fields without a value are left out."""
    return {name: value for name, value in asdict(definition).items() if value is not None and value != ""}


def definition_of(app: str, name: str) -> Definition:
    """What the file says of the task now.

    Raises:
        NoDefinition: nothing, or something that cannot be read.
    """
    for definition in _definitions(app):
        if definition.name == name:
            return definition
    raise NoDefinition(f"name: expected a task that its file defines, got {name!r}, which has left it",
                       fields={"name": "has left its file"})  # fmt: skip


def reload(app: str, *, now: datetime) -> None:
    """Bring the app's rows in step with its file and the overrides.

    Raises:
        NoDefinition: the file cannot be read.
    """
    source = source_of(app)
    store.apply({app: _definitions(app)}, restart=source is not None and source.enabled, now=now)


def write(
    app: str, name: str, given: Mapping[str, Any], *, definition: Definition | None, now: datetime
) -> None:
    """Lay these changes over what is overridden already; what equals the file is not kept.

    Args:
        given: by the names of Task. Environment and parameters are merged by key, a null there takes
            back what was overridden; a null schedule means by hand only.
        definition: what the file says; None if the task is not there yet.

    Raises:
        DefinedByFile: a field that only the file can change.
        BadTask: a value that does not fit.
    """
    foreign = [field for field in given if field not in FIELDS]
    if foreign:
        raise DefinedByFile(
            f"{foreign[0]}: expected one of {', '.join(FIELDS)}; all else of this task is said by its file",
            fields=dict.fromkeys(foreign, "is said by the file of the task"),
        )
    # A stand-in lets the values be checked before the task itself has come.
    base = definition or Definition(name=name, code="pass")
    row = TaskOverride.objects.select_for_update().filter(app=app, name=name).first()
    row = row or TaskOverride(app=app, name=name)
    maps = {field: _merged(getattr(row, field), given[field]) for field in MAPS if field in given}
    checked = _checked(base, row, given, maps)
    for field in PLAIN:
        if field in given:
            setattr(row, field, _kept(field, getattr(checked, field), definition))
    for field, values in maps.items():
        told = getattr(checked, field)
        known = getattr(definition, field) if definition else {}
        kept = {key: told[key] for key in values if key not in known or known[key] != told[key]}
        setattr(row, field, kept or None)
    limits = dict(row.limits or {})
    for field in LIMITS:
        if field in given:
            limits[field] = getattr(checked, field)
            if definition is not None and limits[field] == getattr(definition, field):
                del limits[field]
    row.limits = limits or None
    save(row)


def switch(app: str, name: str, *, enabled: bool) -> bool:
    """Lay this over what the file says, or take it back if the file says the same.

    A file that cannot be read is no hindrance.

    Returns:
        Whether anything of the task is overridden now.
    """
    row = TaskOverride.objects.select_for_update().filter(app=app, name=name).first()
    row = row or TaskOverride(app=app, name=name)
    row.enabled = enabled
    with suppress(NoDefinition):
        row.enabled = _kept("enabled", enabled, definition_of(app, name))
    return save(row)


def take_back(app: str, name: str, field: str = "") -> bool:
    """Lay nothing over the task any more, or nothing over this field; `environment.NAME` is one of a map.

    Returns:
        Whether something was.

    Raises:
        BadTask: no field that can be overridden.
    """
    whole, _, key = field.partition(".")
    if field and (whole not in FIELDS or (key and whole not in MAPS)):
        said = f"expected a field that can be overridden, got {field[:80]!r}"
        raise BadTask(f"field: {said}", fields={"field": said})
    row = TaskOverride.objects.select_for_update().filter(app=app, name=name, deleted=False).first()
    if row is None:
        return False
    if not field:
        row.delete()
        return True
    inside = whole if key else "limits" if whole in LIMITS else ""
    laid = dict(getattr(row, inside) or {}) if inside else {}
    entry = key or whole
    if entry not in laid if inside else getattr(row, whole) is None:
        return False
    laid.pop(entry, None)
    setattr(row, inside or whole, laid or None)
    save(row)
    return True


def beside(definition: Definition, given: Mapping[str, Any]) -> dict[str, Any]:
    """What a task given as a whole says beside its file, so that it can be given as it was shown.

    Fields that only the file can change are left out where they are as the file has them.
    """
    said = {
        field: value
        for field, value in given.items()
        if field in FIELDS or not _as_in_file(getattr(definition, field), value)
    }
    by_hand = "schedule" in given and given["schedule"] in (None, "")
    if definition.at is not None and by_hand and "at" in given and "at" not in said:
        # It has its one time, and no schedule beside it.
        del said["schedule"]
    elif said.get("at", "") is None and "schedule" in given:
        # A schedule, or none, has taken the place of the one time.
        del said["at"]
    return said


def save(row: TaskOverride) -> bool:
    """Keep the row if it says anything; whether it does."""
    says = row.deleted or any(getattr(row, field) is not None for field in (*PLAIN, *MAPS, "limits"))
    if says:
        row.save()
    elif row.pk is not None:
        row.delete()
    return says


def _checked(
    base: Definition, row: TaskOverride, given: Mapping[str, Any], maps: Mapping[str, Any]
) -> Definition:
    entry = entry_of(base)
    for field, value in given.items():
        if field in MAPS:
            entry[field] = (
                getattr(base, field) | maps[field] if isinstance(maps[field], dict) else maps[field]
            )
        elif field == "schedule":
            entry.pop("at", None)
            entry["schedule"] = "" if value is None else value
        elif value is None and field in ("max_runtime", "max_failures"):
            entry.pop(field, None)
        else:
            # Null is no value of the others, and the check would pass it over.
            entry[field] = "null" if value is None else value
    return schema.check(entry, pools=None)


def _as_in_file(known: Any, value: Any) -> bool:
    if isinstance(known, datetime) and isinstance(value, str):
        with suppress(ValueError):
            told = datetime.fromisoformat(value)
            return told.tzinfo is not None and told == known
    blank = (None, "")
    return value == known or (value in blank and known in blank)


def _merged(before: Mapping[str, Any] | None, given: Any) -> Any:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return given
    merged = {**(before or {}), **given}
    return {key: value for key, value in merged.items() if value is not None}


def _kept(field: str, value: Any, definition: Definition | None) -> Any:
    if definition is None or getattr(definition, field) != value:
        return value
    # A schedule in the place of a one-off time differs, even if it is blank.
    return value if field == "schedule" and definition.at is not None else None


def _definitions(app: str) -> list[Definition]:
    source = source_of(app)
    if source is None:
        raise NoDefinition(
            f"app: expected an app with a task file, got {app!r}", fields={"app": "has no file"}
        )
    parsed = files.read(source, pools())
    if parsed.problems:
        raise NoDefinition(f"app: expected a task file that can be read, got {parsed.problems[0]}",
                           fields={"app": str(parsed.problems[0])})  # fmt: skip
    return parsed.definitions
