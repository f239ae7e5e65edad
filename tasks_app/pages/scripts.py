"""The scripts in the folder of an app, to choose from."""

import os
from pathlib import Path

from runspaces_app import languages
from scaffolding import hosting
from scaffolding.errors import AppNotFound

MOST = 200
DEEPEST = 4
_LEFT_OUT = {"__pycache__", "node_modules", "migrations", "static", "templates"}


def of(app: str) -> list[str]:
    """Paths inside the app's folder, of files with a language's suffix and of executables; at most 200."""
    try:
        root = hosting.folder(app)
    except AppNotFound:
        return []
    suffixes = {language.suffix for language in languages.all() if language.suffix}
    found: list[str] = []
    for place, folders, files in os.walk(root):
        here = Path(place)
        deep = len(here.relative_to(root).parts)
        folders[:] = (
            sorted(name for name in folders if name not in _LEFT_OUT and not name.startswith("."))
            if deep < DEEPEST
            else []
        )
        for name in sorted(files):
            file = here / name
            if name.startswith("."):
                continue
            if file.suffix in suffixes or (not file.suffix and os.access(file, os.X_OK)):
                found.append(file.relative_to(root).as_posix())
            if len(found) >= MOST:
                return found
    return found
