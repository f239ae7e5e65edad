"""What every script finds in its environment, whatever its language."""

import pytest

from runspaces_app.worker import facts

pytestmark = pytest.mark.one_database

FRAME = {
    "id": "nightly", "attempt": 2, "fence": 5, "trigger": "scheduled", "task": "Sweep", "app": "Shop",
    "due_at": "2026-03-10T12:00:00+00:00", "environment": {"LEVEL": "3", "TASKHUB_JOB_ID": "another"},
}  # fmt: skip


def test_a_script_finds_the_facts_of_its_run_beside_its_own_variables() -> None:
    assert facts.environment(FRAME, temporary="/t", started_at=1_773_144_001.7) == {
        "LEVEL": "3", "TMPDIR": "/t", "TASKHUB_JOB_ID": "nightly", "TASKHUB_ATTEMPT": "2", "TASKHUB_FENCE": "5",
        "TASKHUB_TRIGGER": "scheduled", "TASKHUB_TASK": "Sweep", "TASKHUB_APP": "Shop",
        "TASKHUB_DUE_AT": "2026-03-10T12:00:00+00:00", "TASKHUB_STARTED_AT": "2026-03-10T12:00:01+00:00",
    }  # fmt: skip


def test_what_a_run_has_not_is_no_variable() -> None:
    found = facts.environment(
        FRAME | {"task": None, "app": "", "due_at": None}, temporary="/t", started_at=0.0
    )
    assert not {"TASKHUB_TASK", "TASKHUB_APP", "TASKHUB_DUE_AT"} & set(found)
