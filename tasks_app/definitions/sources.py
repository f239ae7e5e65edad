"""Where task files lie: the data folder, each hosted app, each installed Django app that ships one."""

from dataclasses import dataclass
from pathlib import Path

from scaffolding.hosting import registry
from taskhub.core.home import Home


@dataclass(frozen=True, kw_only=True)
class Source:
    """A place that may hold a task file.

    Attributes:
        app: whose tasks they are; blank for the data folder.
        pool: where its tasks run if they name none.
        enabled: the file of a disabled app is left alone, and so are its tasks.
    """

    app: str
    file: Path
    pool: str = "default"
    enabled: bool = True


def sources() -> list[Source]:
    """All of them, the data folder first; whether the file is there is not looked at."""
    found = [Source(app="", file=Home.current().root / registry.TASKS_FILE)]
    for app in registry.every():
        # Tasks of a Django app need Django around them.
        pool = "default" if app.hosted else "django"
        found.append(
            Source(app=app.name, file=app.path / registry.TASKS_FILE, pool=pool, enabled=app.enabled)
        )
    return found


def source_of(app: str) -> Source | None:
    return next((source for source in sources() if source.app == app), None)
