"""Removing a family of jobs while members of it appear, end and vanish."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from jobs_app import family
from jobs_app.creation import NewJob, create
from jobs_app.errors import JobError, JobNotFound, JobStillOpen
from jobs_app.models import Job, JobSpec
from jobs_app.states import JobState
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from tests.support import MINUTE, NOON, make_job, make_pool

pytestmark = pytest.mark.django_db(transaction=True)

BY = Actor("tester")
ROUNDS = 15


@pytest.fixture(autouse=True)
def clean_house(home: Path, transactional_db: None) -> None:
    make_pool("default")


def together(*works: Callable[[], Any]) -> list[Any]:
    """Start all at the same moment, each on a connection of its own; returns what each gave or raised."""
    barrier = threading.Barrier(len(works), timeout=20)

    def one(work: Callable[[], Any]) -> Any:
        try:
            barrier.wait()
            return work()
        except TaskhubError as exc:
            return exc
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works), thread_name_prefix="racer") as pool:
        return list(pool.map(one, works))


def spawn(parent: UUID, *, start: bool = True) -> UUID:
    new = NewJob(language="python", code="1", parent=parent)
    made = create(
        new, owner=None, source="api", trigger="api", start=start, by=BY, now=NOON, check_code=False
    )
    return made.uuid


def end(uuid: UUID) -> int:
    """What the engine's commit of an end does to the row, in a transaction of its own."""
    with transaction.atomic():
        return Job.objects.filter(pk=uuid, finished_at=None).update(
            state=JobState.COMPLETED, finished_at=NOON + MINUTE, percent=100
        )


def no_orphans() -> None:
    """Assert that whoever has a parent finds it, and that no code lies about without its job."""
    parents = set(Job.objects.exclude(parent=None).values_list("parent", flat=True))
    assert parents <= set(Job.objects.values_list("pk", flat=True))
    assert not JobSpec.objects.exclude(pk__in=Job.objects.values("pk")).exists()


def test_a_child_that_appears_meanwhile_is_taken_or_keeps_the_family(home: Path) -> None:
    for _ in range(ROUNDS):
        top = make_job(state=JobState.COMPLETED)
        leaf = make_job(state=JobState.RUNNING, parent=top)

        def end_and_remove(top: UUID = top.pk, leaf: UUID = leaf.pk) -> None:
            end(leaf)
            family.remove(top, by=BY, now=NOON)

        spawned, gone = together(partial(spawn, leaf.pk), end_and_remove)

        if gone is None:
            # The child came too late, or the family was gone before it: nobody is left.
            assert isinstance(spawned, TaskhubError), spawned
            assert not Job.objects.filter(pk__in=[top.pk, leaf.pk]).exists()
        else:
            assert isinstance(gone, JobStillOpen)
            assert Job.objects.filter(pk__in=[top.pk, leaf.pk, spawned]).count() == 3
        no_orphans()
        Job.objects.all().delete()


def test_a_child_of_a_job_that_is_being_removed_finds_no_parent_any_more(home: Path) -> None:
    top = make_job(state=JobState.COMPLETED)
    family.remove(top.pk, by=BY, now=NOON)

    with pytest.raises(JobError, match="parent"):
        spawn(top.pk)


def test_two_who_remove_parts_of_one_family_do_not_wait_for_each_other_for_ever(home: Path) -> None:
    for _ in range(ROUNDS):
        top = make_job(state=JobState.COMPLETED)
        middle = make_job(state=JobState.COMPLETED, parent=top)
        for _ in range(3):
            make_job(state=JobState.COMPLETED, parent=middle)

        answers = together(
            partial(family.remove, top.pk, by=BY, now=NOON),
            partial(family.remove, middle.pk, by=BY, now=NOON),
        )

        assert answers[0] is None
        assert answers[1] is None or isinstance(answers[1], JobNotFound)
        assert not Job.objects.exists()
        assert not JobSpec.objects.exists()


def test_at_any_depth_one_open_descendant_keeps_all(home: Path) -> None:
    uuids = [make_job(state=JobState.COMPLETED).pk]
    for depth in range(6):
        state = JobState.CREATED if depth == 5 else JobState.COMPLETED
        uuids.append(make_job(state=state, parent_id=uuids[-1]).pk)

    for uuid in uuids:
        with pytest.raises(JobStillOpen):
            family.remove(uuid, by=BY, now=NOON)
    assert Job.objects.count() == 7

    end(uuids[-1])
    family.remove(uuids[0], by=BY, now=NOON)
    assert not Job.objects.exists()
