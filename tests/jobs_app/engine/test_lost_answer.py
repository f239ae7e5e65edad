"""A commit that was done though its answer was lost, met by the engine that lives on."""

import pytest
from django.db import OperationalError

from jobs_app.models import Execution, Job
from jobs_app.states import JobState
from taskhub.core import failpoints


@pytest.fixture
def lose_answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of points at which the next hit raises what a lost connection raises."""
    names: list[str] = []

    def hit(name: str) -> None:
        if name in names:
            names.remove(name)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(failpoints, "hit", hit)
    return names


@pytest.mark.parametrize("point", ["engine.claimed", "engine.commit.before", "lifecycle.history"])
def test_nothing_is_lost_or_doubled_when_the_answer_to_a_commit_is(
    engine, submit, lose_answers, tmp_path, point
):
    ledger = tmp_path / "ledger"
    code = f"import os\nos.write(os.open({str(ledger)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT), b'x')"
    lose_answers.append(point)
    jobs = [submit(code) for _ in range(3)]
    engine.run(*jobs)
    assert lose_answers == []
    assert {(job.state, job.attempt) for job in jobs} == {(JobState.COMPLETED, 1)}
    assert ledger.read_text() == "xxx"
    assert Execution.objects.count() == 3
    assert not Job.objects.filter(finished_at__isnull=True).exists()
