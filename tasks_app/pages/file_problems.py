"""What is wrong in the task files, for the pages of who may read them."""

import time

from tasks_app import overrides
from tasks_app.definitions import files
from tasks_app.definitions.problems import Problem
from tasks_app.definitions.sources import sources

MOST = 20
# A page waits for no thousand files; those it has not come to are looked at when it is opened again.
SECONDS = 0.2


def found(*, app: str | None = None) -> list[Problem]:
    """The mistakes in the files of all enabled apps, or of one; at most 20. Unchanged files are not read anew."""
    problems: list[Problem] = []
    pools = overrides.pools()
    until = time.monotonic() + SECONDS
    for source in sources():
        if source.enabled and app in (None, source.app):
            problems += files.read(source, pools).problems
        if len(problems) >= MOST or time.monotonic() > until:
            break
    return problems[:MOST]
