"""Keeps Task rows in step with the files: looks what changed, reads that, leaves the rest."""

import logging
from collections.abc import Mapping
from datetime import datetime

from runspaces_app.models import Pool

from . import files, store
from .files import Mark
from .schema import Definition
from .sources import Source, sources

log = logging.getLogger("taskhub.tasks")


# Files read in one step, which takes a second at most; whoever steps has other things to do too.
SLICE = 100


class Loader:
    """What one process knows of the files it has loaded.

    Two of them, in two engines, do no harm: what one has written the other finds as it should be.

    Attributes:
        more: the last step has left changed files for the next.
    """

    def __init__(self) -> None:
        self.more = False
        self._marks: dict[str, tuple[Mark, bool]] | None = None
        self._pools: frozenset[str] = frozenset()

    def step(self, *, now: datetime) -> bool:
        """Load what changed since the last step, at most SLICE files; True if a row was written.

        A file that cannot be read or says something wrong leaves its tasks as they are; what is
        wrong is logged once and stands among the problems of its app.
        """
        found = sources()
        marks = {source.app: (files.mark_of(source.file), source.enabled) for source in found}
        if marks == self._marks:
            return False
        pools = frozenset(Pool.objects.values_list("name", flat=True))
        before = self._marks if self._marks is not None and pools == self._pools else {}
        changed = [
            source for source in found if source.enabled and before.get(source.app) != marks[source.app]
        ]
        changed, left = changed[:SLICE], {source.app for source in changed[SLICE:]}
        gone = self._gone(marks)
        definitions = _read(changed, pools)
        written = store.apply(definitions, gone=gone, now=now) if definitions or gone else 0
        # Only now: a database that was away is asked again.
        self._marks = {app: mark for app, mark in marks.items() if app not in left}
        self._pools, self.more = pools, bool(left)
        if written:
            log.info("tasks: %s written after a change of %s files", written, len(changed))
        return written > 0

    def _gone(self, marks: Mapping[str, object]) -> set[str]:
        """Apps whose folder has left, since the last step or before this process began."""
        if self._marks is None:
            return store.apps_with_tasks() - set(marks)
        return set(self._marks) - set(marks)


def _read(changed: list[Source], pools: frozenset[str]) -> dict[str, list[Definition]]:
    definitions = {}
    for source in changed:
        parsed = files.read(source, pools)
        for problem in parsed.problems:
            log.warning("app=%r: %s", source.app, problem)
        if not parsed.problems:
            definitions[source.app] = parsed.definitions
    return definitions
