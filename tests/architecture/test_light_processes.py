"""The engine and most commands do without what only the web needs."""

import subprocess
import sys

import pytest

LOOK = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "taskhub.settings"
import django
django.setup()
from django.core.management import load_command_class
# Django's checks would import all of them at the start.
assert not load_command_class({app!r}, {command!r}).requires_system_checks
import jobs_app.engine.loop
print(*(name for name in sys.modules if name.endswith((".admin", ".urls")) or ".pages." in name))
"""


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("app", "command"),
    [("jobs_app", "run_engine"), ("jobs_app", "job"), ("jobs_app", "task"), ("taskhub.core", "token")],
)
def test_no_page_is_imported_for(app: str, command: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", LOOK.format(app=app, command=command)],
        capture_output=True,
        text=True,
        check=True,
    )
    ours = ("jobs_app.", "tasks_app.", "runspaces_app.", "taskhub.", "scaffolding.")
    assert [name for name in told.stdout.split() if name.startswith(ours)] == []
