"""What the list of jobs does with many at once, and for whom."""

import pytest

from jobs_app.models import Execution, Job
from taskhub.core.models import AuditEntry
from tests.support import NOON, make_execution, make_job

BULK = "/admin/jobs_app/job/bulk/"


def test_a_question_comes_before_many_are_stopped(db, home, sign_in):
    waiting, ended = make_job(name="waiting", state="queued", now=NOON), make_job(state="completed", now=NOON)
    client = sign_in("operator")
    form = {"do": "stop", "job": [str(waiting.pk), str(ended.pk), "no uuid"]}
    page = client.post(BULK, form).content.decode()
    assert "Stop 1 job?" in page and "1 has ended and is left as it is." in page
    assert Job.objects.get(pk=waiting.pk).state == "queued"
    assert client.post(BULK, {**form, "confirmed": "yes"}).status_code == 302
    assert Job.objects.get(pk=waiting.pk).state == "stopped"


def test_a_viewer_stops_nothing(db, home, sign_in):
    waiting = make_job(state="queued", now=NOON)
    form = {"do": "stop", "job": str(waiting.pk), "confirmed": "yes"}
    assert sign_in("viewer").post(BULK, form).status_code == 403
    assert Job.objects.get(pk=waiting.pk).state == "queued"


def test_the_question_says_what_will_be_left(db, home, sign_in):
    jobs = [
        make_job(state="queued", now=NOON),
        make_job(state="queued", now=NOON, cancellable=False),
        make_job(state="completed", now=NOON),
        make_job(state="failed", now=NOON),
    ]
    gone = make_job(state="failed", now=NOON)
    ticked = [str(job.pk) for job in (*jobs, gone)]
    gone.delete()
    client = sign_in("operator")
    stop = client.post(BULK, {"do": "stop", "job": ticked}).content.decode()
    assert "Stop 1 job?" in stop
    assert "2 have ended and are left as they are." in stop
    assert "1 cannot be stopped and runs on." in stop
    assert "1 is not there any more." in stop
    remove = client.post(BULK, {"do": "remove", "job": ticked}).content.decode()
    assert "Remove 2 jobs?" in remove
    assert "2 have not ended and stay." in remove
    assert client.post(BULK, {"do": "remove", "job": ticked, "confirmed": "yes"}).status_code == 302
    assert set(Job.objects.values_list("pk", flat=True)) == {jobs[0].pk, jobs[1].pk}


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("operator", True), ("author", True)])
def test_a_finished_job_is_removed_from_its_row_by_who_may(db, home, sign_in, role, may):
    job = make_job(state="completed", now=NOON)
    make_execution(job)
    make_job(state="running", now=NOON)
    client = sign_in(role)
    address = f"/admin/jobs_app/job/{job.pk}/remove/"
    page = client.get("/admin/jobs_app/job/").content.decode()
    assert page.count("/remove/") == (1 if may else 0)
    # A look at the question removes nothing, and only who may gets to it.
    assert client.get(address).status_code == (200 if may else 403)
    assert Job.objects.filter(pk=job.pk).exists()
    assert client.post(address).status_code == (302 if may else 403)
    assert Job.objects.filter(pk=job.pk).exists() is not may
    assert AuditEntry.objects.filter(action="job.remove", object_id=str(job.pk)).exists() is may
    assert Execution.objects.filter(job=job.pk).exists()
