"""What is wrong in the files of tasks and apps, for the pages of who may read them."""

import time

from scaffolding.hosting import manifest, registry
from tasks_app import overrides
from tasks_app.definitions import files
from tasks_app.definitions.problems import Problem
from tasks_app.definitions.sources import sources

MOST = 20
# A page waits for no thousand files; those it has not come to are looked at when it is opened again.
SECONDS = 0.2


def found(*, app: str | None = None) -> list[Problem]:
    """The mistakes in manifests and in task files of enabled apps, or of one app; at most 20.

    Unchanged files are not read anew.
    """
    problems = [
        Problem(str(hosted.path / manifest.FILE), 0, "", _bare(said, str(hosted.path / manifest.FILE)))
        for hosted in registry.every()
        if app in (None, hosted.name)
        for said in hosted.problems
    ]
    pools = overrides.pools()
    until = time.monotonic() + SECONDS
    for source in sources():
        if source.enabled and app in (None, source.app):
            problems += files.read(source, pools).problems
        if len(problems) >= MOST or time.monotonic() > until:
            break
    return problems[:MOST]


def _bare(said: str, file: str) -> str:
    """What is said of a manifest without the file's name, which stands beside it."""
    return said.removeprefix(file).removeprefix(manifest.FILE).lstrip(":, ")
