"""The django pool reaches the database of the settings, whose address no environment tells."""

import pytest

from tests.support import wait_until

pytestmark = pytest.mark.processes

CODE = """
from django.conf import settings
from jobs_app.models import Job
import os
[Job.objects.filter(public_id="look").count(), str(settings.TASKHUB_HOME), sorted(os.environ)]
"""


def test_a_job_of_the_django_pool_sees_the_same_rows(taskhub):
    hub = taskhub.client()
    job = {"id": "look", "language": "python", "pool": "django", "code": CODE, "start": True}
    assert hub.post("/api/v1/jobs", job).status in (201, 202)
    ended = wait_until(
        lambda: (found := hub.get("/api/v1/jobs/look").json())["finished_at"] and found, timeout=30
    )
    assert ended["state"] == "completed", ended["error"]
    count, home, names = hub.get("/api/v1/jobs/look/result").json()
    assert (count, home) == (1, str(taskhub.home))
    assert not [name for name in names if "SECRET" in name or "PASSWORD" in name or "DATABASE" in name]
