"""The data folder as `up` makes it: closed to other users, with a secret key of its own."""

import errno
import os
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from taskhub.core.home import Home
from taskhub.folder_lock import FolderLock
from taskhub.refusal import CannotStart


def open_folder(home: Home) -> FolderLock:
    """Make what is missing of the data folder and take it for this process.

    Raises:
        CannotStart: it cannot be written, or another process has it.
    """
    try:
        home.create()
        home.root.chmod(0o700)
        lock = FolderLock(home.run / "up.lock", folder=home.root)
        make_secret_key(home.secret_key)
    except OSError as failed:
        raise CannotStart(_why(failed, home.root)) from None
    return lock


def make_secret_key(file: Path) -> None:
    """Write a new key (0600), whole or not at all; one that is there stays as it is."""
    if file.exists() and file.read_text().strip():
        file.chmod(0o600)
        return
    fresh = file.with_name(f"{file.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w") as opened:
        opened.write(f"{get_random_secret_key()}\n")
        opened.flush()
        os.fsync(opened.fileno())
    fresh.rename(file)


def _why(failed: OSError, root: Path) -> str:
    if failed.errno == errno.ENOSPC:
        return f"No space is left for the data folder {root}."
    return (
        f"Cannot write the data folder {root} ({failed.strerror}); "
        "give Taskhub's user the right to, or choose another TASKHUB_HOME."
    )
