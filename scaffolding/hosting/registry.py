"""Which apps there are: folders below `apps/`, and installed Django apps that ship tasks."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from django.apps import apps as django_apps

from taskhub.core.home import Home

from ..errors import AppNotFound
from . import manifest
from .manifest import Manifest

TASKS_FILE = Path("config", "tasks.yaml")

# Modules above this one add what they know to be wrong with an app; see `add_check`.
_checks: list[Callable[[str], list[str]]] = []
# Manifests by file and what stat says of it, so that a list of apps opens no unchanged file.
_manifests: dict[Path, tuple[tuple[int, ...], Manifest]] = {}


@dataclass(frozen=True, kw_only=True)
class HostedApp:
    """An app as it stands on disk.

    Attributes:
        hosted: False for an installed Django app, which settings switch and not a manifest.
        problems: what is wrong with it, a sentence each.
    """

    name: str
    path: Path
    enabled: bool
    version: str = ""
    description: str = ""
    prefix: str = ""
    hosted: bool = True
    problems: tuple[str, ...] = ()


def add_check(check: Callable[[str], list[str]]) -> None:
    """Have `check(name)` asked for further problems whenever apps are listed."""
    if check not in _checks:
        _checks.append(check)


def apps() -> list[HostedApp]:
    """The hosted apps by name, broken ones among them."""
    return [_with_checks(app) for app in _hosted()]


def get(name: str) -> HostedApp:
    """A hosted app, or an installed Django app that ships tasks.

    Raises:
        AppNotFound: there is neither.
    """
    return _with_checks(find(name))


def find(name: str) -> HostedApp:
    """`get` without the checks of other modules, for those modules and for hot paths."""
    root = Home.current().apps
    # A name is one part of a path, or it is none.
    if manifest.NAME.fullmatch(name) and (root / name).is_dir():
        return _read(root / name)
    for app in installed():
        if app.name == name:
            return app
    raise AppNotFound(f"app: expected the name of an app, got {name[:80]!r}", fields={"app": "no such app"})


def installed() -> list[HostedApp]:
    """The Django apps in INSTALLED_APPS that ship `config/tasks.yaml`."""
    found = []
    for config in django_apps.get_app_configs():
        path = Path(config.path)
        if (path / TASKS_FILE).is_file():
            found.append(
                HostedApp(
                    name=config.label,
                    path=path,
                    enabled=True,
                    description=str(config.verbose_name),
                    hosted=False,
                )
            )
    return found


def enabled_names() -> frozenset[str]:
    """The names of all apps whose tasks may run now."""
    hosted = {app.name for app in _hosted() if app.enabled}
    return frozenset(hosted | {app.name for app in installed()})


def every() -> list[HostedApp]:
    """Hosted and installed apps without the checks of other modules; of two of one name the hosted one."""
    hosted = _hosted()
    names = {app.name for app in hosted}
    return hosted + [app for app in installed() if app.name not in names]


def _hosted() -> list[HostedApp]:
    try:
        with os.scandir(Home.current().apps) as entries:
            names = sorted(
                entry.name for entry in entries if entry.is_dir() and not entry.name.startswith(".")
            )
    except FileNotFoundError:
        return []
    root = Home.current().apps
    return [_read(root / name) for name in names]


def _read(path: Path) -> HostedApp:
    said = _manifest(path / manifest.FILE, path.name)
    return HostedApp(
        name=path.name,
        path=path,
        enabled=said.enabled,
        version=said.version,
        description=said.description,
        prefix=said.prefix,
        problems=said.problems,
    )


def _manifest(file: Path, name: str) -> Manifest:
    try:
        stat = file.stat()
        mark: tuple[int, ...] = (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_ctime_ns)
    except OSError:
        mark = ()
    known = _manifests.get(file)
    if known is None or known[0] != mark:
        known = _manifests[file] = (mark, manifest.read(file, name))
    return known[1]


def _with_checks(app: HostedApp) -> HostedApp:
    further = tuple(problem for check in _checks for problem in check(app.name))
    return replace(app, problems=app.problems + further) if further else app
