"""Collect static files, but only when they changed since the last time."""

import hashlib
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from taskhub.admin_settings import COMPONENTS
from taskhub.refusal import CannotStart

STAMP = ".collected"


def collect_static() -> None:
    """Fill STATIC_ROOT with every static file under its hashed name, and a compressed copy.

    Raises:
        CannotStart: the folder cannot be written.
    """
    root = Path(settings.STATIC_ROOT)
    now = fingerprint()
    stamp = root / STAMP
    try:
        if stamp.is_file() and stamp.read_text() == now:
            return
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(now)
    except OSError as failed:
        raise CannotStart(f"Cannot write the static files to {root}: {failed.strerror}.") from None


def fingerprint() -> str:
    """Changes when a static file appears, goes or is written, or others are put together."""
    digest = hashlib.sha256(f"{settings.STORAGES['staticfiles']['BACKEND']} {COMPONENTS}".encode())
    for finder in get_finders():
        for name, storage in sorted(finder.list([]), key=lambda found: found[0]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
