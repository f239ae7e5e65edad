"""What a new job is refused for: each error names its field, and nothing is stored."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from jobs_app import errors
from jobs_app.creation import NewJob, create
from jobs_app.models import Job, JobSpec
from runspaces_app.languages import base
from taskhub.core.audit import SYSTEM
from taskhub.core.errors import BadInput, TaskhubError
from taskhub.core.models import AuditEntry
from tests.support import NOON, make_job, make_pool

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def house(home: Path, db: None) -> None:
    make_pool("default")
    app = home / "apps" / "Shop"
    (app / "scripts").mkdir(parents=True)
    (app / "app.yaml").write_text("name: Shop\nversion: 1.0.0\nenabled: true\n")
    (app / "scripts" / "sell.py").write_text("1 + 1\n")


def make(**fields: Any) -> Job:
    values: dict[str, Any] = {"language": "python", "code": "1 + 1"} | fields
    return create(
        NewJob(**values), owner=None, source="api", trigger="api", start=False, by=SYSTEM, now=NOON
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "error", "code"),
    [
        ({"language": "cobol"}, errors.UnknownLanguage, "unknown_language"),
        ({"code": "def"}, errors.CodeDoesNotCompile, "code_does_not_compile"),
        ({"code": "if true; then", "language": "shell"}, errors.CodeDoesNotCompile, "code_does_not_compile"),
        ({"code": "x = 1\0"}, BadInput, "bad_input"),
        ({"code": ""}, BadInput, "bad_input"),
        ({"code": "x" * (1024 * 1024 + 1)}, TaskhubError, ""),
        ({"code": "1", "path": "scripts/sell.py", "app": "Shop"}, BadInput, "bad_input"),
        ({"code": "", "path": "scripts/sell.py"}, BadInput, "bad_input"),
        ({"code": "", "path": "../other.py", "app": "Shop"}, TaskhubError, ""),
        ({"code": "", "path": "scripts/none.py", "app": "Shop"}, TaskhubError, "script_missing"),
        ({"app": "Nobody"}, errors.UnknownApp, "unknown_app"),
        ({"pool": "nowhere"}, errors.UnknownPool, "unknown_pool"),
        ({"parent": uuid4()}, errors.UnknownParent, "unknown_parent"),
        ({"public_id": "no/slash"}, BadInput, "bad_input"),
        ({"public_id": ""}, BadInput, "bad_input"),
        ({"public_id": "\N{KELVIN SIGN}"}, BadInput, "bad_input"),
        ({"public_id": "x" * 65}, BadInput, "bad_input"),
        ({"priority": 101}, BadInput, "bad_input"),
        ({"timeout": 0}, BadInput, "bad_input"),
        ({"timeout": -2}, BadInput, "bad_input"),
        ({"max_attempts": 0}, BadInput, "bad_input"),
        ({"backoff": -1.0}, BadInput, "bad_input"),
        ({"name": "n" * 201}, BadInput, "bad_input"),
        ({"parameters": {"a": "\ud800"}}, BadInput, "bad_input"),
        ({"parameters": {"a": 2**63}}, BadInput, "bad_input"),
        ({"parameters": {"a": "x" * 300_000}}, TaskhubError, ""),
        ({"parameters": {"a": "x" * 200_000}, "environment": {"A": "x" * 100_000}}, BadInput, "bad_input"),
        ({"environment": {"A B": "x"}}, BadInput, "bad_input"),
        ({"environment": {"A": 5}}, BadInput, "bad_input"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(
    fields: dict[str, Any], error: type[TaskhubError], code: str
) -> None:
    with pytest.raises(error) as caught:
        make(**fields)

    assert caught.value.fields, str(caught.value)
    assert not code or caught.value.code == code
    assert "expected" in str(caught.value) or "line" in str(caught.value)
    assert not Job.objects.exists()
    assert not JobSpec.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_language_without_its_interpreter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_program", lambda name: None)

    with pytest.raises(errors.LanguageNotInstalled, match="shell"):
        make(language="shell", code="true")

    assert not Job.objects.exists()


def test_the_uuid_of_another_job_is_in_use_too() -> None:
    other = make(public_id="nightly")
    for spelled in (str(other.uuid), str(other.uuid).upper(), other.uuid.hex):
        with pytest.raises(errors.DuplicateJob, match="id: expected an id not in use"):
            make(public_id=spelled)
    assert make(public_id=str(uuid4())).public_id


def test_an_id_in_use_is_refused_without_regard_to_case() -> None:
    make(public_id="Nightly")

    with pytest.raises(errors.DuplicateJob, match="nightly"):
        make(public_id="NIGHTLY")

    assert Job.objects.get().public_id == "nightly"


def test_what_is_left_out_gets_its_default() -> None:
    job = make()

    assert (job.name, job.public_id) == (f"Job {job.uuid}", str(job.uuid))
    assert (job.state, job.timeout, job.pool, job.affinity) == ("created", 600, "default", "owner:")
    assert JobSpec.objects.get(pk=job.pk).parameters == "{}"


def test_a_script_of_an_app_shares_runspaces_with_its_app_only() -> None:
    job = make(code="", path="scripts/sell.py", app="Shop")

    assert (job.app, job.affinity) == ("Shop", "app:Shop")


def test_a_child_names_its_parent() -> None:
    parent = make_job()

    assert make(parent=parent.uuid).parent_id == parent.uuid
