"""The files of an app: its folder, a script inside it, and a mark that moves when one changes."""

import hashlib
import os
from pathlib import Path

from taskhub.core.clock import SYSTEM
from taskhub.core.errors import TaskhubError
from taskhub.core.guards import paths
from taskhub.core.home import Home

from ..errors import ScriptMissing
from . import registry

STAMP_SECONDS = 2.0

# Made by running the app's code; no change of the app.
_IGNORED = {"__pycache__"}
_stamps: dict[Path, tuple[float, str]] = {}


def folder(name: str) -> Path:
    """Where the app's files lie; for the blank name the data folder's `config`.

    Raises:
        AppNotFound: there is no such app.
    """
    return registry.find(name).path if name else Home.current().config


def resolve(app: str, path: str) -> str:
    """The absolute path of a script inside the app's folder.

    Raises:
        AppNotFound: there is no such app.
        ScriptMissing: saying what stands in the way: nothing there, no file, not readable, outside.
    """
    root = folder(app)
    place = f"the folder of app {app}" if app else f"the folder {root}"
    try:
        found = paths.inside(root, path)
    except TaskhubError as exc:
        raise _missing(f"path: expected a script inside {place}, got {path!r}") from exc
    if not found.exists():
        raise _missing(f"path: expected a script at {path!r} in {place}, found none")
    if not found.is_file():
        raise _missing(f"path: expected a file at {path!r} in {place}, found something else")
    if not os.access(found, os.R_OK):
        raise _missing(f"path: expected a readable script at {path!r} in {place}, may not read it")
    return str(found)


def stamp(name: str) -> str:
    """A text that differs once a file of the app was added, changed or removed; at most 2 s old.

    An app that is gone has a stamp too, so that what still runs of it can be told apart.
    """
    try:
        root = folder(name)
    except TaskhubError:
        return "gone"
    now = SYSTEM.monotonic()
    known = _stamps.get(root)
    if known is None or now - known[0] > STAMP_SECONDS:
        known = _stamps[root] = (now, _digest(root))
    return known[1]


def _digest(root: Path) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for place, folders, files in os.walk(root):
        folders[:] = sorted(each for each in folders if each not in _IGNORED)
        for file in sorted(files):
            try:
                stat = os.lstat(os.path.join(place, file))
            except OSError:
                continue
            digest.update(
                f"{place}/{file}\0{stat.st_mtime_ns}\0{stat.st_size}\0{stat.st_ino}\n".encode(
                    errors="surrogateescape"
                )
            )
    return digest.hexdigest()


def _missing(said: str) -> ScriptMissing:
    return ScriptMissing(said, fields={"path": said.removeprefix("path: ")})
