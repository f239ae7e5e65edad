"""Retention: what is old goes with its whole tree and its output, what runs or is young stays."""

from datetime import timedelta
from pathlib import Path

import pytest

from jobs_app.engine import housekeeper
from jobs_app.engine.housekeeper import Housekeeper
from jobs_app.models import Execution, Job, JobSpec
from runspaces_app.models import RunspaceSample
from taskhub.core import runtime_settings
from taskhub.core.audit import SYSTEM
from taskhub.core.clock import FakeClock
from taskhub.core.home import Home
from taskhub.core.models import AuditEntry, IdempotencyKey
from tasks_app.models import Occurrence
from tests.support import NOON, make_execution, make_job, make_runspace, make_task

OLD = NOON - timedelta(days=31)
YOUNG = NOON - timedelta(days=29)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keeper(home: Path) -> Housekeeper:
    return Housekeeper(clock=FakeClock(NOON))


def ended(**fields: object) -> Job:
    return make_job(state="completed", **fields)  # type: ignore[arg-type]


def test_old_jobs_go_with_spec_and_output_and_leave_their_history(keeper: Housekeeper) -> None:
    old, young = ended(now=OLD), ended(now=YOUNG)
    kept = make_execution(old, now=YOUNG)
    folder = Home.current().output / f"{OLD:%Y/%m/%d}" / str(old.uuid) / "1"
    folder.mkdir(parents=True)
    (folder / "0").write_bytes(b"text")

    keeper.step()

    assert list(Job.objects.values_list("pk", flat=True)) == [young.pk]
    assert list(JobSpec.objects.values_list("pk", flat=True)) == [young.pk]
    assert list(Execution.objects.all()) == [kept]
    assert not folder.exists()


def test_a_tree_with_an_open_child_stays_whole(keeper: Housekeeper) -> None:
    parent = ended(now=OLD)
    child = ended(now=OLD, parent=parent)
    make_job(state="running", now=OLD, parent=child)

    keeper.step()

    assert Job.objects.count() == 3


def test_an_old_child_waits_for_its_parent(keeper: Housekeeper) -> None:
    parent = ended(now=YOUNG)
    ended(now=OLD, parent=parent)

    keeper.step()

    assert Job.objects.count() == 2


def test_everything_else_has_its_time_and_the_audit_stays_for_ever(keeper: Housekeeper) -> None:
    make_execution(now=OLD)
    make_execution(now=YOUNG)
    runspace = make_runspace(now=YOUNG)
    make_runspace(now=OLD, state="closed", closed_at=OLD)
    for at in (NOON - timedelta(hours=25), NOON - timedelta(hours=23)):
        RunspaceSample.objects.create(runspace=runspace, at=at, memory_bytes=1, threads=1, handles=1)
        IdempotencyKey.objects.create(caller="1", path="/", key=str(at), body_digest="", created_at=at)
    AuditEntry.objects.bulk_create([AuditEntry(at=OLD, actor="a", action="job.create")])

    keeper.step()

    counts = [model.objects.count() for model in (Execution, RunspaceSample, IdempotencyKey, AuditEntry)]
    assert counts == [1, 1, 1, 1]
    assert list(type(runspace).objects.all()) == [runspace]


def test_an_occurrence_stays_until_eight_days_behind_its_tasks_cursor(keeper: Housekeeper) -> None:
    behind = make_task(next_due_at=OLD)
    ahead = make_task(next_due_at=NOON)
    for task in (behind, ahead):
        Occurrence.objects.create(
            task=task, due_at=OLD - timedelta(days=8), decision="fired", decided_at=OLD - timedelta(days=8)
        )

    keeper.step()

    assert list(Occurrence.objects.values_list("task", flat=True)) == [behind.pk]


def test_a_long_past_is_removed_in_batches(keeper: Housekeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeper, "BATCH", 2)
    for _ in range(5):
        ended(now=OLD)

    assert keeper.step() is True

    assert Job.objects.count() == 3


def test_the_setting_says_how_long(keeper: Housekeeper) -> None:
    ended(now=YOUNG)
    runtime_settings.set_value("history_retention_days", 7, actor=SYSTEM, now=NOON)

    keeper.step()

    assert Job.objects.count() == 0
