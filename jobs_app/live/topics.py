"""What a page asks to see: parsed, bounded, and turned into the rows it stands for."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

from taskhub.core import permissions
from taskhub.core.errors import BadInput
from taskhub.core.guards.json import check_text

MOST_IDS = 200
MOST_ENTRIES = 20
LONGEST_ID = 64

LISTS = ("jobs", "runspaces", "tasks")
SINGLES = ("job", "output")
OVERVIEW = "overview"
NAMES = (*LISTS, *SINGLES, OVERVIEW)
OF_JOBS = frozenset({"jobs", "job", "output"})
OF_NUMBERS = frozenset({"runspaces", "tasks"})

# What a topic needs, all of it; the topics of jobs are open to everybody, who then sees his own.
_RIGHTS = {
    "runspaces": ("runspace.view",),
    "tasks": ("task.view",),
    OVERVIEW: ("job.view", "execution.view", "task.view", "runspace.view", "engine.view"),
}


class Key(NamedTuple):
    """One thing to read. `code`: with the source text and what is given to it."""

    topic: str
    id: str
    code: bool = False


@dataclass(frozen=True)
class Topics:
    """What one page shows: the ids of each topic, as the page spelled them."""

    ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    overview: bool = False


@dataclass(frozen=True)
class Rights:
    """What the permission table lets one caller see.

    Attributes:
        user: his key; without `all_jobs` he sees the jobs he owns and no others.
        refused: topic → why it is closed to him.
    """

    user: int | None
    all_jobs: bool
    job_code: bool
    task_code: bool
    refused: dict[str, str]

    def keys(self, topics: Topics) -> frozenset[Key]:
        """The things to read for these topics, without the refused ones."""
        code = {"job": self.job_code, "tasks": self.task_code}
        keys = {
            Key(name, id, code.get(name, False))
            for name, ids in topics.ids.items()
            if name not in self.refused
            for id in ids
        }
        if topics.overview and OVERVIEW not in self.refused:
            keys.add(Key(OVERVIEW, ""))
        return frozenset(keys)

    def refusals(self, topics: Topics) -> dict[str, str]:
        """Of the topics asked for, those that are closed, with the reason."""
        asked = {name for name, ids in topics.ids.items() if ids} | ({OVERVIEW} if topics.overview else set())
        return {name: why for name, why in self.refused.items() if name in asked}


def rights_of(user: AbstractBaseUser | AnonymousUser, token: Any = None) -> Rights:
    def may(action: str) -> bool:
        return permissions.allows(user, action, token=token)

    refused = {}
    for topic, actions in _RIGHTS.items():
        missing = [action for action in actions if not may(action)]
        if missing:
            refused[topic] = f"{missing[0]}: expected a role that covers it"
    return Rights(user.pk, may("job.view"), may("job.view_code"), may("task.view_code"), refused)


def subscription(value: object) -> Topics:
    """The topics of a `subscribe` object.

    Raises:
        BadInput: an unknown topic, a value of another kind, too many ids or entries.
    """
    if not isinstance(value, dict):
        raise _bad("subscribe", "an object", type(value).__name__)
    unknown = [name for name in value if name not in NAMES]
    if unknown:
        raise _bad("subscribe", f"topics {', '.join(NAMES)}", repr(str(unknown[0])[:40]))
    ids: dict[str, tuple[str, ...]] = {}
    for name in (*LISTS, *SINGLES):
        given = value.get(name)
        if given is None:
            continue
        if not isinstance(given, list):
            if name in LISTS:
                raise _bad(name, "a list of ids", type(given).__name__)
            given = [given]
        ids[name] = _ids(name, given)
    overview = value.get(OVERVIEW, False)
    if not isinstance(overview, bool):
        raise _bad(OVERVIEW, "true or false", type(overview).__name__)
    return _bounded(Topics({name: found for name, found in ids.items() if found}, overview))


def from_query(text: str) -> Topics:
    """The topics of `overview,job:<id>,jobs:<id>,…`.

    Raises:
        BadInput: as `subscription` does.
    """
    found: dict[str, list[str]] = {}
    overview = False
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, colon, id = part.partition(":")
        if part == OVERVIEW:
            overview = True
        elif colon and name in NAMES and name != OVERVIEW:
            found.setdefault(name, []).append(id)
        else:
            raise _bad("topics", "overview or <topic>:<id>, joined by commas", repr(part[:40]))
    return _bounded(Topics({name: _ids(name, ids) for name, ids in found.items()}, overview))


def _ids(name: str, given: Iterable[object]) -> tuple[str, ...]:
    read: Callable[[str, object], str] = _number if name in OF_NUMBERS else _text
    return tuple(dict.fromkeys(read(name, id) for id in given))


def _text(name: str, id: object) -> str:
    return check_text(id, name, max_length=LONGEST_ID, blank=False)


def _number(name: str, id: object) -> str:
    text = str(id) if isinstance(id, int) and not isinstance(id, bool) else id
    if not (isinstance(text, str) and text.isascii() and text.isdigit() and 0 < int(text[:20]) < 2**63):
        raise _bad(name, "numbers", repr(id)[:40])
    return str(int(text))


def _bounded(topics: Topics) -> Topics:
    for name, ids in topics.ids.items():
        if len(ids) > MOST_IDS:
            raise _bad(name, f"at most {MOST_IDS} ids", str(len(ids)))
    entries = sum(1 if name in LISTS else len(ids) for name, ids in topics.ids.items()) + topics.overview
    if entries > MOST_ENTRIES:
        raise _bad("subscribe", f"at most {MOST_ENTRIES} entries", str(entries))
    return topics


def _bad(field: str, expected: str, got: str) -> BadInput:
    return BadInput(f"{field}: expected {expected}, got {got}", fields={field: f"expected {expected}"})
