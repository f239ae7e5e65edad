"""The makers of rows give rows that the database accepts."""

import pytest

from jobs_app.states import JobState
from tests import support


@pytest.mark.django_db
@pytest.mark.parametrize("state", JobState.values)
def test_a_job_can_be_made_in_any_state(state):
    job = support.make_job(state=state)
    assert job.spec.code == "1 + 1"
    assert job.uuid.version == 7


@pytest.mark.django_db
def test_every_other_row_can_be_made():
    support.make_execution(support.make_job(state="completed"))
    support.make_runspace(engine=support.make_engine())
    support.make_pool()
    support.make_task()
    assert support.make_user(role="viewer").groups.get().name == "viewer"


def test_waiting_gives_up_with_the_message():
    with pytest.raises(AssertionError, match="the moon: not within"):
        support.wait_until(lambda: False, timeout=0.05, message="the moon")


def test_waiting_returns_the_answer():
    answers = iter([0, 0, 7])
    assert support.wait_until(lambda: next(answers)) == 7
