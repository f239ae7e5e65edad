"""The long history that lists and pages are measured with."""

import uuid

import pytest

from jobs_app.models import Execution, Job, JobSpec
from jobs_app.states import TERMINAL
from tests.bench import fixture_rows
from tests.support import NOON, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def history():
    fixture_rows.make(jobs=200, executions=1_000, owner=make_user().pk, now=NOON)


def test_it_has_as_many_rows_as_asked(history):
    assert Job.objects.count() == JobSpec.objects.count() == 200
    assert Execution.objects.count() == 1_000 - fixture_rows.UNSTARTED


def test_all_jobs_but_the_newest_have_ended_and_have_their_execution(history):
    ended = Job.objects.filter(state__in=TERMINAL)
    assert ended.count() == 200 - fixture_rows.UNSTARTED
    assert set(ended.values_list("pk", flat=True)) <= set(Execution.objects.values_list("job", flat=True))
    newest = Job.objects.order_by("-uuid")[: fixture_rows.UNSTARTED]
    assert {job.state for job in newest} == {"created"}


def test_ids_are_proper_and_sort_by_age(history):
    jobs = list(Job.objects.order_by("uuid"))
    assert all(job.uuid.version == 7 and job.uuid.variant == uuid.RFC_4122 for job in jobs)
    assert all(job.public_id == str(job.uuid) for job in jobs)
    assert [job.created_at for job in jobs] == sorted(job.created_at for job in jobs)


def test_filters_find_something(history):
    assert {"success", "failed", "lost", "terminated", "stopped"} == set(
        Execution.objects.values_list("status", flat=True)
    )
    assert Execution.objects.filter(task__isnull=False).exists()
    assert Job.objects.filter(owner__isnull=False).exists()
    assert Execution.objects.order_by("finished_at").last().finished_at <= NOON
