"""What the list of jobs does with many at once, and for whom."""

from jobs_app.models import Job
from tests.support import NOON, make_job

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
