"""Making and changing tasks in the admin: what a form asks for, what it refuses, what it does not give away."""

import json

import pytest
from django.core.cache import cache

from taskhub.core import roles
from tasks_app.definitions import Loader
from tasks_app.models import Task, TaskOverride
from tests.support import NOON, make_pool

pytestmark = pytest.mark.django_db

FILE = """
tasks:
  - name: Sweep
    script: {path: sweep.py}
    schedule: {cron: "0 * * * *", timezone: Europe/Berlin}
    environment: {A: "1", API_TOKEN: "open sesame"}
    parameters: {depth: 1}
    termination: {maxRuntime: 60}
  - {name: Later, code: "1", at: "2999-01-02T03:04"}
"""
LIST = "/admin/tasks_app/task/"
NEW = {
    "name": "Mine", "app": "", "description": "", "tags": "nightly, reports", "enabled": "on", "script": "code",
    "language": "", "code": "1 + 1", "path": "", "when": "cron", "schedule": "0 3 * * *", "at": "",
    "timezone": "Europe/Berlin", "misfire": "skip", "overlap": "queue_one", "pool": "default", "priority": "5",
    "reuse": "on", "parameters": '{"days": 7, "password": "xyzzy"}', "environment": '{"LANG": "C"}', "max_runtime": "",
    "kill_on_timeout": "on", "max_failures": "3", "max_attempts": "2", "backoff": "1.5",
}  # fmt: skip


@pytest.fixture(autouse=True)
def file(home, db):
    cache.clear()
    roles.create_roles()
    make_pool("default")
    make_pool("django")
    (home / "config" / "tasks.yaml").write_text(FILE)
    (home / "config" / "sweep.py").write_text("print('swept')")
    Loader().step(now=NOON)


@pytest.fixture
def author(sign_in):
    return sign_in("author")


def sweep() -> Task:
    return Task.objects.get(name="Sweep")


def of(task: Task, action: str) -> str:
    return f"{LIST}{task.pk}/{action}/"


def laid(**changes: str) -> dict[str, str]:
    """The form of Sweep as its page shows it, with changes."""
    shown = {
        "enabled": "on", "when": "cron", "schedule": "0 * * * *", "parameters": '{"depth": 1}',
        "environment": '{"A": "1", "API_TOKEN": "********"}', "max_runtime": "60", "kill_on_timeout": "on",
        "max_failures": "", "max_attempts": "1", "backoff": "30",
    }  # fmt: skip
    return shown | changes


def test_a_custom_task_is_made_of_what_was_typed(author):
    answer = author.post(f"{LIST}add/", NEW)
    task = Task.objects.get(name="Mine")
    assert answer.status_code == 302 and answer["Location"] == of(task, "change")
    assert (task.source, task.schedule, task.timezone, task.code) == (
        "custom",
        "0 3 * * *",
        "Europe/Berlin",
        "1 + 1",
    )
    assert task.tags == ["nightly", "reports"] and task.parameters == {"days": 7, "password": "xyzzy"}
    assert (task.max_runtime, task.max_failures, task.max_attempts, task.backoff) == (None, 3, 2, 1.5)
    assert (task.misfire, task.overlap, task.priority, task.reuse, task.idempotent) == (
        "skip",
        "queue_one",
        5,
        True,
        False,
    )


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"schedule": "61 3 * * *"}, "schedule", "61"),
        ({"schedule": "0 0 30 2 *"}, "schedule", "no date ever meets"),
        ({"schedule": ""}, "schedule", "got none"),
        ({"when": "once", "at": ""}, "at", "got none"),
        ({"when": "once", "at": "soon"}, "at", "2026-03-01T09:30"),
        ({"timezone": "Mars/Olympus"}, "timezone", "IANA"),
        ({"name": ""}, "name", "required"),
        ({"code": ""}, "code", "neither"),
        ({"script": "path", "path": "../../etc/passwd"}, "path", "inside"),
        ({"script": "path", "path": ""}, "path", "neither"),
        ({"parameters": '{"a": 1, "a": 2}'}, "parameters", "a: expected to be given once"),
        ({"parameters": "[1]"}, "parameters", "JSON object"),
        ({"environment": '{"not a name": "1"}'}, "environment", "letters"),
        ({"parameters": '{"password": "********"}'}, "parameters", "mask"),
        ({"priority": "500"}, "priority", "100"),
        ({"max_runtime": "0"}, "max_runtime", "-1"),
        ({"max_attempts": "0"}, "max_attempts", "100"),
        ({"app": "Nowhere"}, "app", "valid choice"),
    ],
)
def test_what_does_not_fit_is_told_at_its_field_and_nothing_is_lost(author, changes, field, says):
    typed = NEW | {"description": "typed text survives"} | changes
    answer = author.post(f"{LIST}add/", typed)
    assert answer.status_code == 422
    form = answer.context["form"]
    assert says in " ".join(form.errors[field]), form.errors
    assert not Task.objects.filter(name="Mine").exists()
    assert "typed text survives" in answer.content.decode()
    assert f'id="id_{field}_error"' in answer.content.decode()


def test_a_name_that_is_taken_is_told_at_the_name(author):
    author.post(f"{LIST}add/", NEW)
    answer = author.post(f"{LIST}add/", NEW)
    assert answer.status_code == 422 and "free" in answer.context["form"].errors["name"][0]


def test_a_custom_task_is_changed_and_its_secrets_stay_hidden_and_whole(author):
    author.post(f"{LIST}add/", NEW)
    task = Task.objects.get(name="Mine")
    page = author.get(of(task, "edit"))
    assert "xyzzy" not in page.content.decode()
    shown = page.context["form"].initial["parameters"]
    assert json.loads(shown) == {"days": 7, "password": "********"}
    changed = json.dumps(json.loads(shown) | {"days": 8})
    answer = author.post(of(task, "edit"), NEW | {"parameters": changed, "when": "hand", "name": "Ours"})
    assert answer.status_code == 302
    task.refresh_from_db()
    assert task.parameters == {"days": 8, "password": "xyzzy"}
    assert (task.name, task.schedule, task.next_due_at) == ("Ours", "", None)


def test_one_time_is_kept_as_it_was_and_read_on_the_clock_of_the_zone(author):
    author.post(f"{LIST}add/", NEW | {"when": "once", "at": "2999-07-01T09:30"})
    task = Task.objects.get(name="Mine")
    assert task.at.isoformat() == "2999-07-01T07:30:00+00:00"
    page = author.get(of(task, "edit"))
    assert page.context["form"].initial["at"] == "2999-07-01T09:30"
    author.post(of(task, "edit"), NEW | {"when": "once", "at": "2999-07-01T09:30", "description": "x"})
    before = task.at
    task.refresh_from_db()
    assert (task.at, task.description) == (before, "x")


def test_of_a_task_out_of_a_file_only_what_differs_is_laid_over_it(author):
    answer = author.post(of(sweep(), "edit"), laid(schedule="30 * * * *", max_failures="4"))
    assert answer.status_code == 302
    override = TaskOverride.objects.get(name="Sweep")
    assert (override.schedule, override.limits) == ("30 * * * *", {"max_failures": 4})
    assert (override.enabled, override.environment, override.parameters) == (None, None, None)
    assert sweep().environment["API_TOKEN"] == "open sesame"


def test_saving_a_form_as_it_was_changes_nothing(author):
    author.post(of(sweep(), "edit"), laid())
    assert not TaskOverride.objects.exists() and sweep().source == "default"


def test_maps_are_merged_by_key_and_what_the_file_says_cannot_be_taken_away(author):
    author.post(of(sweep(), "edit"), laid(environment='{"A": "2", "B": "new", "API_TOKEN": "********"}'))
    assert TaskOverride.objects.get(name="Sweep").environment == {"A": "2", "B": "new"}
    author.post(of(sweep(), "edit"), laid(environment='{"A": "2", "API_TOKEN": "********"}'))
    assert TaskOverride.objects.get(name="Sweep").environment == {"A": "2"}
    answer = author.post(of(sweep(), "edit"), laid(environment='{"A": "2"}'))
    assert answer.status_code == 422
    assert "API_TOKEN is said by the file" in answer.context["form"].errors["environment"][0]


def test_by_hand_only_can_be_laid_over_a_schedule_and_taken_back(author):
    author.post(of(sweep(), "edit"), laid(when="hand"))
    assert (sweep().schedule, sweep().next_due_at) == ("", None)
    page = author.get(of(sweep(), "change")).content.decode()
    assert "by hand only" in page and "Reset" in page
    assert author.post(of(sweep(), "reset"), {"field": "schedule"}).status_code == 302
    assert sweep().schedule == "0 * * * *" and sweep().source == "default"


def test_the_one_time_of_a_file_stays_until_a_schedule_is_chosen(author):
    later = Task.objects.get(name="Later")
    form = author.get(of(later, "edit")).context["form"]
    assert [way for way, _ in form.fields["when"].choices] == ["cron", "once", "hand"]
    sent = laid(when="once", schedule="", parameters="", environment="", max_runtime="")
    author.post(of(later, "edit"), sent | {"max_failures": "2"})
    later.refresh_from_db()
    assert later.at is not None and later.max_failures == 2
    author.post(of(later, "edit"), sent | {"when": "cron", "schedule": "@daily"})
    later.refresh_from_db()
    assert not later.at and later.schedule == "@daily"


def test_layers_tell_what_the_file_says_what_was_changed_and_what_counts(author):
    author.post(
        of(sweep(), "edit"), laid(max_runtime="90", environment='{"A": "2", "API_TOKEN": "********"}')
    )
    layers = author.get(of(sweep(), "change")).context["layers"]
    changed = {row.field: (row.default, row.override, row.effective) for row in layers.changed}
    assert changed == {"max_runtime": ("60", "90", "90"), "environment.A": ("1", "2", "2")}
    hidden = next(row for row in layers.rows if row.field == "environment.API_TOKEN")
    assert hidden.effective == "********"
    author.post(of(sweep(), "reset"), {"field": "environment.A"})
    assert sweep().environment["A"] == "1" and sweep().max_runtime == 90
    author.post(of(sweep(), "reset"))
    assert not TaskOverride.objects.exists() and sweep().max_runtime == 60


@pytest.mark.parametrize(
    "field", ["name", "environment", "code", "environment.", "nonsense", "parameters.x.y"]
)
def test_a_field_that_cannot_be_reset_does_no_harm(author, field):
    before = sweep().last_modified
    assert author.post(of(sweep(), "reset"), {"field": field}).status_code == 302
    assert sweep().last_modified == before


def test_a_copy_keeps_still_unless_it_gets_a_schedule_of_its_own(author):
    page = author.get(of(sweep(), "duplicate"))
    start = page.context["form"].initial
    assert start == {"name": "Sweep copy", "app": "", "schedule": "0 * * * *"}
    author.post(of(sweep(), "duplicate"), start)
    copy = Task.objects.get(name="Sweep copy")
    assert (copy.enabled, copy.source, copy.path) == (False, "custom", "sweep.py")
    author.post(of(sweep(), "duplicate"), start | {"name": "Other", "schedule": "@daily"})
    assert Task.objects.get(name="Other").enabled
    assert author.post(of(sweep(), "duplicate"), start).status_code == 422


def test_deleting_names_what_goes_and_a_task_of_a_file_comes_back(author):
    question = author.get(of(sweep(), "delete")).content.decode()
    assert "can be restored" in question and "0 runs, which stay" in question
    said = author.post(of(sweep(), "delete"), follow=True).content.decode()
    assert sweep().deleted and "It can be restored." in said
    assert "Sweep" not in author.get(LIST).content.decode()
    assert "Sweep" in author.get(f"{LIST}?status=deleted").content.decode()
    assert "It is deleted" in author.get(of(sweep(), "change")).content.decode()
    author.post(of(sweep(), "restore"))
    assert not sweep().deleted


def test_a_custom_task_is_deleted_for_good(author):
    author.post(f"{LIST}add/", NEW)
    task = Task.objects.get(name="Mine")
    assert "cannot be undone" in author.get(of(task, "delete")).content.decode()
    answer = author.post(of(task, "delete"))
    assert answer["Location"] == LIST and not Task.objects.filter(name="Mine").exists()


def test_the_test_of_a_script_says_what_stands_in_its_way(author, home):
    assert "The script would run" in author.post(of(sweep(), "test")).content.decode()
    (home / "config" / "sweep.py").unlink()
    page = author.post(of(sweep(), "test")).content.decode()
    assert "The script would not run" in page and "found nothing" in page


def test_a_run_with_parameters_changes_only_those(author):
    from jobs_app.models import Job

    page = author.get(of(sweep(), "run"))
    assert json.loads(page.context["form"].initial["parameters"]) == {"depth": 1}
    answer = author.post(of(sweep(), "run"), {"parameters": '{"depth": 2, "more": [1]}'})
    job = Job.objects.get()
    assert answer["Location"] == f"/admin/jobs_app/job/{job.pk}/change/"
    assert json.loads(job.spec.parameters) == {"depth": 2, "more": [1]} and job.trigger == "manual"
    assert author.post(of(sweep(), "run"), {"parameters": "{"}).status_code == 422
    assert author.post(of(sweep(), "run"), {"parameters": '{"token": "********"}'}).status_code == 422


def test_an_operator_runs_but_supplies_and_sees_no_parameters(sign_in):
    operator = sign_in("operator")
    page = operator.get(of(sweep(), "run"))
    assert page.context["form"] is None and "depth" not in page.content.decode()
    assert operator.post(of(sweep(), "run"), {"parameters": "{}"}).status_code == 403
    assert operator.post(of(sweep(), "run")).status_code == 302


def test_the_scripts_of_an_app_are_offered(author):
    assert author.get(f"{LIST}scripts/?app=").json() == {"scripts": ["sweep.py"]}
    assert author.get(f"{LIST}scripts/?app=../..").json() == {"scripts": []}


def test_a_form_shows_what_its_schedule_means_without_scripts(author):
    page = author.get(of(sweep(), "edit")).content.decode()
    assert "Next 5 runs" in page and "+0" in page
