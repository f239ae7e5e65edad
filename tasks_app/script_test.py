"""Would this task's script run? Looked at without running it."""

import os
from typing import NamedTuple

from runspaces_app import languages
from runspaces_app.errors import RunspaceError
from runspaces_app.languages import CheckFailed, Language
from scaffolding import hosting
from taskhub.core.errors import TaskhubError
from taskhub.core.guards import paths

from .definitions.values import CODE_LIMIT
from .models import Task

# Started as it lies there, by nobody else.
EXECUTABLE = "executable"


class Look(NamedTuple):
    """One question and its answer.

    Attributes:
        name: inside, exists, readable, interpreter or compiles.
        ok: None if it could not be asked, because an earlier answer was no.
        message: what was found, in one sentence.
    """

    name: str
    ok: bool | None
    message: str


class Report(NamedTuple):
    """The answers in order; `ok` if nothing stands in the way of a run."""

    ok: bool
    looks: list[Look]


def test(task: Task) -> Report:
    """Look whether the script lies inside its app, exists, is readable, has its interpreter and compiles."""
    looks, code = (
        _code(task) if task.path else ([Look("exists", True, "The code stands in the task.")], task.code)
    )
    try:
        language = languages.get(task.language)
    except RunspaceError as exc:
        looks.append(Look("interpreter", False, str(exc)))
        language = None
    if language is not None:
        looks += _run_by(language, code)
    return Report(all(look.ok is not False for look in looks), looks)


def _code(task: Task) -> tuple[list[Look], str | None]:
    """What can be said of the file, and what it holds if it can be read."""
    where = f"the folder of app {task.app}" if task.app else "the config folder"
    try:
        file = paths.inside(hosting.folder(task.app), task.path)
    except TaskhubError as exc:
        later = [Look(name, None, "Not looked at.") for name in ("exists", "readable")]
        return [Look("inside", False, str(exc)), *later], None
    looks = [Look("inside", True, f"{task.path} lies inside {where}.")]
    if not file.is_file():
        found = "something that is no file" if file.exists() else "nothing"
        missing = Look("exists", False, f"Expected a script at {task.path} in {where}, found {found}.")
        return [*looks, missing, Look("readable", None, "Not looked at.")], None
    looks.append(Look("exists", True, f"{file.stat().st_size} bytes."))
    try:
        with file.open("rb") as opened:
            raw = opened.read(CODE_LIMIT + 1)
        if len(raw) > CODE_LIMIT:
            raise ValueError(f"expected at most {CODE_LIMIT} bytes")
        code = raw.decode("utf-8")
    except OSError as exc:
        return [*looks, Look("readable", False, f"{task.path} cannot be read: {exc.strerror}.")], None
    except ValueError as exc:
        return [*looks, Look("readable", False, f"{task.path} cannot be read as text: {exc}.")], None
    if task.language == EXECUTABLE and not os.access(file, os.X_OK):
        said = f"{task.path} can be read, but is not marked as executable (chmod +x)."
        return [*looks, Look("readable", False, said)], code
    return [*looks, Look("readable", True, "It can be read.")], code


def _run_by(language: Language, code: str | None) -> list[Look]:
    program = language.interpreter()
    if program is None:
        wanted = " or ".join(language.programs) or language.label
        said = f"Expected {wanted} on this machine to run {language.label}, found none."
        return [Look("interpreter", False, said), Look("compiles", None, "Not looked at.")]
    # An executable's own first line is looked at with its text.
    said = "The script names it itself." if program == "#!" else f"{language.label}: {program}."
    looks = [Look("interpreter", True, said)]
    if code is None:
        return [*looks, Look("compiles", None, "Not looked at.")]
    try:
        language.check(code)
    except CheckFailed as exc:
        return [*looks, Look("compiles", False, str(exc))]
    return [*looks, Look("compiles", True, "It compiles.")]
