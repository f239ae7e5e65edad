"""Test databases: a file goes with what belongs to it."""

import contextlib
import os
from typing import Any

from django.db.backends.sqlite3 import creation


class DatabaseCreation(creation.DatabaseCreation):
    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> Any:
        name = super()._create_test_db(verbosity, autoclobber, keepdb)  # type: ignore[misc] # the stubs leave it out
        if not keepdb and not self.is_in_memory_db(name) and not os.path.exists(name):
            # A log left by a run that was killed would be played into the new file.
            _remove_log(name)
        return name

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        super()._destroy_test_db(test_database_name, verbosity)  # type: ignore[misc] # as above
        if test_database_name and not self.is_in_memory_db(test_database_name):
            _remove_log(test_database_name)


def _remove_log(name: str) -> None:
    for suffix in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.remove(f"{name}{suffix}")
