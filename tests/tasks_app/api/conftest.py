"""A task out of a file, and calls that read well."""

import pytest

from tasks_app.definitions import Loader
from tasks_app.models import Task
from tests.support import NOON, make_pool

FILE = """
- name: Sweep
  code: print(1)
  schedule: "0 * * * *"
  environment: {A: "1", B: "2"}
  parameters: {depth: 1}
  maxRuntime: 60
- {name: Once, code: print(2), at: "2126-03-01T09:30:00Z", tags: [rare]}
"""


@pytest.fixture
def file(home, db):
    make_pool("default")
    make_pool("django")
    path = home / "config" / "tasks.yaml"
    path.write_text(FILE)
    Loader().step(now=NOON)
    return path


@pytest.fixture
def sweep(file):
    return Task.objects.get(name="Sweep")


@pytest.fixture
def call(file, api_admin):
    """`call("patch", "/7", {…})` below `/api/v1/tasks`."""

    def say(verb, path="", body=None, **headers):
        return getattr(api_admin, verb)(f"/api/v1/tasks{path}", body, format="json", headers=headers)

    return say
