"""The small app a new data folder starts with."""

import os
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from taskhub.core.home import Home

NAME = "Sample"

_FILES = Path(__file__).parent / NAME
# Lies beside the apps, so that a person who removes the sample is rid of it for good.
_MARKER = ".sample-installed"
# Stands in the file of tasks for a moment after the start that brings the sample.
_SOON = "{soon}"
_SOON_SECONDS = 45


def install(home: Home, *, now: datetime) -> bool:
    """Put the sample app into the data folder, once; True if it was put there now.

    What is there already, changed or not, stays as it is.

    Args:
        now: aware; its one-off task is due some seconds later.
    """
    marker = home.apps / _MARKER
    place = home.apps / NAME
    if marker.exists() or place.exists():
        return False
    home.apps.mkdir(parents=True, exist_ok=True)
    # Whole or not at all: the name appears only once everything below it is there.
    half_way = home.apps / f".{NAME}.half"
    shutil.rmtree(half_way, ignore_errors=True)
    shutil.copytree(_FILES, half_way, ignore=shutil.ignore_patterns("__pycache__"))
    tasks = half_way / "config" / "tasks.yaml"
    soon = (now + timedelta(seconds=_SOON_SECONDS)).isoformat(timespec="seconds")
    tasks.write_text(tasks.read_text().replace(_SOON, soon))
    os.rename(half_way, place)
    marker.touch()
    return True
