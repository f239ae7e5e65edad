"""What a task file may say: its text in, definitions or problems out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from taskhub.core.errors import TaskhubError
from taskhub.core.guards import yaml
from taskhub.core.guards.yaml import BadYaml

from ..errors import BadTask
from ..schedule import cron
from . import values
from .problems import Place, Problem, field_at, lines_of
from .spelling import Given, gather, snake

MOST_TASKS = 10_000
# The fields that say when a task runs.
TIMING = ("schedule", "at", "timezone")


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A task as its file has it; the fields are those of Task, with its defaults."""

    name: str
    description: str = ""
    enabled: bool = True
    tags: list[str] = field(default_factory=list)
    language: str = "python"
    code: str = ""
    path: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    schedule: str = ""
    at: datetime | None = None
    timezone: str = "UTC"
    misfire: str = "run_once"
    overlap: str = "skip"
    pool: str = "default"
    priority: int = 0
    idempotent: bool = False
    reuse: bool = True
    max_runtime: int | None = None
    kill_on_timeout: bool = True
    max_failures: int | None = None
    max_attempts: int = 1
    backoff: float = 30.0
    jitter: bool = False


class Parsed:
    """A file's definitions, or its problems: one mistake anywhere and none of them count."""

    def __init__(self, definitions: list[Definition], problems: list[Problem]) -> None:
        self.definitions = [] if problems else definitions
        self.problems = problems


def parse(text: str, *, file: str, pool: str = "default", pools: frozenset[str] | None = None) -> Parsed:
    """Read a task file.

    Args:
        file: its name in messages.
        pool: where tasks run that name no pool.
        pools: the pools there are; None accepts any name.
    """
    try:
        raw = yaml.load(text, source=file)
    except BadYaml as exc:
        place = f"{file}, line {exc.line}: " if exc.line else f"{file}: "
        return Parsed([], [Problem(file, exc.line, "", str(exc).removeprefix(place))])
    wrong: list[tuple[Place, str]] = []
    found = [
        (place, definition)
        for place, name, entry in _entries(raw, wrong)
        if (definition := _definition(entry, place, name, pool, pools, wrong)) is not None
    ]
    _names_once(found, wrong)
    definitions = [definition for _, definition in found]
    lines = lines_of(text, [place for place, _ in wrong]) if wrong else []
    return Parsed(
        definitions,
        [
            Problem(file, line, field_at(place), said)
            for (place, said), line in sorted(zip(wrong, lines, strict=True), key=lambda each: each[1])
        ],
    )


def check(entry: Mapping[str, Any], *, pool: str = "default", pools: frozenset[str] | None) -> Definition:
    """A task that did not come from a file, held to the same rules; spelt in either way.

    Raises:
        BadTask: `fields` names each field that is wrong, and how.
    """
    wrong: list[tuple[Place, str]] = []
    # Forms and documents have a blank where the other of code and path is given.
    said = {name: value for name, value in entry.items() if value != "" or name == "name"}
    definition = _definition(said, (), None, pool, pools, wrong)
    if definition is None or wrong:
        raise bad(wrong)
    return definition


def bad(wrong: list[tuple[Place, str]]) -> BadTask:
    """The error that tells of these mistakes, the first of them in its text."""
    fields: dict[str, str] = {}
    for place, said in wrong:
        name, told = field_at(place), said
        if not name:
            # What fields say together names them itself.
            name, _, told = said.partition(": ")
        fields.setdefault(name, told)
    name, told = next(iter(fields.items()))
    return BadTask(f"{name}: {told}", fields=fields)


def _entries(raw: Any, wrong: list[tuple[Place, str]]) -> list[tuple[Place, str | None, Any]]:
    """Each task with its place and, where tasks are a map, its name."""
    if raw is None:
        return []
    root: Place = ()
    if isinstance(raw, Mapping):
        for key in raw:
            if snake(key) not in {"tasks", "version", "last_modified", "description"}:
                wrong.append(((str(key),), "is no field of a task file; expected tasks"))
        if "tasks" not in raw:
            wrong.append(((), "expected a list called tasks, found none"))
            return []
        tasks, root = raw["tasks"], ("tasks",)
    else:
        tasks = raw
    if tasks is None:
        return []
    if isinstance(tasks, Mapping):
        return [((*root, str(key)), str(key), entry) for key, entry in tasks.items()]
    if isinstance(tasks, list):
        if len(tasks) > MOST_TASKS:
            wrong.append((root, f"expected at most {MOST_TASKS} tasks, got {len(tasks)}"))
            return []
        return [((*root, index), None, entry) for index, entry in enumerate(tasks)]
    wrong.append((root, f"expected a list of tasks, got {tasks!r:.80}"))
    return []


def _definition(
    entry: Any,
    place: Place,
    name: str | None,
    pool: str,
    pools: frozenset[str] | None,
    wrong: list[tuple[Place, str]],
) -> Definition | None:
    if not isinstance(entry, Mapping):
        wrong.append((place, f"expected the fields of a task, got {entry!r:.80}"))
        return None
    given, misspelt = gather(entry, place)
    wrong += misspelt
    if name is not None:
        given.setdefault("name", Given(name, place))
    clean: dict[str, Any] = {}
    before = len(wrong)
    for key, (value, at) in given.items():
        # An empty value (`description:`) leaves the default.
        if value is None:
            continue
        try:
            clean[key] = values.CHECKS[key](value)
        except TaskhubError as exc:
            wrong.append((at, next(iter((exc.fields or {}).values()), str(exc))))
        except values.Refused as exc:
            wrong.append((at, str(exc)))
    # What fields say together can be asked once each of them is known.
    if len(wrong) == before and not misspelt:
        _join(clean, given, place, wrong)
        clean.setdefault("pool", pool)
        if pools is not None and clean["pool"] not in pools:
            at = given["pool"].place if "pool" in given else place
            wrong.append((at, f"expected one of the pools {', '.join(sorted(pools))}, got {clean['pool']!r}"))
    return Definition(**clean) if len(wrong) == before and not misspelt else None


def _join(
    clean: dict[str, Any], given: dict[str, Given], place: Place, wrong: list[tuple[Place, str]]
) -> None:
    """What fields say together; `clean` gets what follows from others."""
    if "name" not in clean:
        wrong.append((place, "name: expected a name, found none"))
    if bool(clean.get("code")) == bool(clean.get("path")):
        found = "both" if clean.get("code") else "neither"
        wrong.append((place, f"script: expected either a path or code, found {found}"))
        return
    maps = [clean[name] for name in ("parameters", "environment") if clean.get(name)]
    if len(maps) == 2 and (size := sum(values.size(each) for each in maps)) > values.MAPS_LIMIT:
        at = given["environment"].place
        wrong.append((at, f"expected at most {values.MAPS_LIMIT} bytes together with parameters, got {size}"))
    if clean.get("schedule") and clean.get("at"):
        wrong.append((given["at"].place, "expected either a cron expression or at, found both"))
    if "language" not in clean and clean.get("path"):
        clean["language"] = values.language_of(clean["path"])
    try:
        zone = clean.get("timezone", "UTC")
        if clean.get("schedule"):
            cron.parse(clean["schedule"], zone)
        if clean.get("at"):
            clean["at"] = values.in_zone(clean["at"], zone)
    except TaskhubError as exc:
        at = given["schedule" if clean.get("schedule") else "at"].place
        wrong.append((at, next(iter((exc.fields or {}).values()), str(exc))))


def _names_once(found: list[tuple[Place, Definition]], wrong: list[tuple[Place, str]]) -> None:
    seen: set[str] = set()
    for place, definition in found:
        if definition.name in seen:
            wrong.append(((*place, "name"), f"{definition.name!r} is the name of two tasks"))
        seen.add(definition.name)
