"""The list of tasks and the page of each: what they tell, to whom, and how little they ask the database."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs_app.pages import task_days, task_strips
from taskhub import run_bars
from taskhub.core import roles
from tasks_app import switching
from tasks_app.models import Occurrence, Task
from tests.support import MINUTE, NOON, make_execution, make_job, make_pool, make_task

pytestmark = pytest.mark.django_db

LIST = "/admin/tasks_app/task/"


@pytest.fixture(autouse=True)
def world(home, db):
    cache.clear()
    roles.create_roles()
    make_pool("default")


def ran(task: Task, status: str = "success", *, ended=NOON, seconds: float = 1.0, **fields):
    return make_execution(
        make_job(state="completed", task=task), task=task.pk, status=status,
        started_at=ended - timedelta(seconds=seconds),
        finished_at=ended, **fields,
    )  # fmt: skip


def names(client, query: str) -> list[str]:
    return sorted(row.name for row in client.get(f"{LIST}?{query}").context["rows"])


@pytest.fixture
def five(db):
    make_task("On", app="Shop", tags=["nightly", "shop"])
    make_task("Off", enabled=False)
    make_task("Bad", last_status="failed", source="custom")
    make_task("Laid", source="overridden", tags=["nightly"], last_status="success")
    busy = make_task("Busy", description="the orders of the shop")
    make_job(state="running", task=busy)
    make_task("Gone", deleted=True)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["Bad", "Busy", "Laid", "Off", "On"]),
        ("status=enabled", ["Bad", "Busy", "Laid", "On"]),
        ("status=disabled", ["Off"]),
        ("status=running", ["Busy"]),
        ("status=deleted", []),
        ("app=Shop", ["On"]),
        ("app=-", ["Bad", "Busy", "Laid", "Off"]),
        ("tag=nightly", ["Laid", "On"]),
        ("tag=shop", ["On"]),
        ("source=custom", ["Bad"]),
        ("source=overridden", ["Laid"]),
        ("last=bad", ["Bad"]),
        ("last=never", ["Busy", "Off", "On"]),
        ("q=orders", ["Busy"]),
        ("tag=nightly&source=overridden", ["Laid"]),
        ("status=nonsense", []),
    ],
)
def test_the_list_is_narrowed(five, sign_in, query, expected):
    assert names(sign_in("viewer"), query) == expected


def test_a_thousand_tasks_ask_no_more_than_one(sign_in):
    client = sign_in("system_admin")

    def asked() -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    ran(make_task("first"))
    few = asked()
    tasks = Task.objects.bulk_create(
        [Task(name=f"t{n}", app=f"a{n % 40}", schedule="* * * * *") for n in range(1000)]
    )
    for task in tasks[:60]:
        ran(task)
    assert asked() <= few


def test_a_strip_shows_the_last_twenty_and_reads_no_more(sign_in):
    task, other = make_task("T"), make_task("U")
    for number in range(25):
        ran(task, "failed" if number == 24 else "success", ended=NOON + number * MINUTE, seconds=number + 1)
    ran(other, "lost", seconds=0)
    found = task_strips.newest([task.pk, other.pk])
    strip = task_strips.strip(found[task.pk])
    assert len(strip.ticks) == 20
    assert strip.summary == "Last 20 runs: 19 success, 1 failed"
    heights = [tick.height for tick in strip.ticks]
    assert heights == sorted(heights) and heights[-1] == task_strips.BOTTOM
    assert strip.ticks[-1].mark and not strip.ticks[0].mark
    assert task_strips.strip(found[other.pk]).ticks[0].height == task_strips.LOWEST
    drawn = run_bars.drawn(strip)
    assert (drawn.count("<rect "), drawn.count("<path ")) == (20, 1)
    assert '<g class="th-run--failed"><title>Failed at 2026-' in drawn
    found[task.pk][0].status = '"><script>'
    assert "<script>" not in run_bars.drawn(task_strips.strip(found[task.pk]))
    assert task_strips.newest([]) == {} and task_strips.strip([]).ticks == []


@pytest.mark.one_database
@pytest.mark.parametrize(
    ("longest", "parts", "end"),
    [(0.007, 2, 0.01), (16.3, 4, 20), (20, 4, 20), (95, 4, 120), (0, 1, 0.001), (4 * 90_000, 4, 691_200)],
)
def test_an_axis_of_durations_has_steps_people_count_in(longest, parts, end):
    assert task_days._round_seconds(longest, parts) == pytest.approx(end)


def test_a_week_counts_by_day_and_breaks_its_line_where_nothing_ran():
    task = make_task("T")
    for days, status, seconds in (
        (9, "lost", 1),
        (3, "success", 1),
        (2, "stopped", 1),
        (0, "failed", 4),
        (0, "success", 2),
    ):
        ran(task, status, ended=NOON - timedelta(days=days), seconds=seconds)
    # The order of the ends is the order of the ids.
    week = task_days.week(task.pk, NOON)
    assert week is not None
    today = week.bars[-1].day
    assert (today.ok, today.bad, today.stopped, today.average) == (1, 1, 0, 3.0)
    assert len(week.bars) == 7 and len(week.points) == 1 and len(week.dots) == 3
    assert task_days.week(make_task("U").pk, NOON) is None


def test_the_page_says_why_it_did_not_run_and_shows_the_end_of_outputs(sign_in):
    task = make_task("T", schedule="0 2 * * *", timezone="Europe/Berlin")
    ran(
        task,
        "failed",
        output_preview="\x1b[31mlast words\x1b[0m",
        error_type="ValueError",
        error_message="seven",
    )
    Occurrence.objects.create(
        task=task, due_at=NOON, decision="skipped", reason="overlap", decided_at=NOON, count=1
    )
    page = sign_in("viewer").get(f"{LIST}{task.pk}/change/").content.decode()
    assert "The run before it was still going on." in page
    assert "last words" in page and "\x1b" not in page and "ValueError: seven" in page
    assert "Time zone Europe/Berlin" in page and " UTC</span>" in page


def test_a_task_of_an_app_that_is_off_shows_no_due_time_and_says_why(sign_in, home):
    task = make_task("T", app="Shop", schedule="0 2 * * *", next_due_at=timezone.now())
    folder = home / "apps" / "Shop"
    folder.mkdir(parents=True)
    client = sign_in("viewer")
    for enabled, says in (("true", "Next runs"), ("false", "Its app Shop is disabled")):
        (folder / "app.yaml").write_text(f"name: Shop\nversion: '1'\nenabled: {enabled}\n")
        page = client.get(f"{LIST}{task.pk}/change/").content.decode()
        assert ("Next runs" in page, "Its app Shop is disabled" in page) == (
            enabled == "true",
            enabled != "true",
        )
        assert says in page
        assert ("T" in [row.name for row in client.get("/admin/").context["next_runs"]]) == (
            enabled == "true"
        )
        assert ("app disabled" in client.get(LIST).content.decode()) == (enabled != "true")
        runs = client.get(f"/api/v1/tasks/{task.pk}/next-runs").json()
        assert runs["enabled"] == (enabled == "true") and len(runs["results"]) == 5


def test_a_viewer_sees_no_code_no_parameters_no_changes_and_no_buttons(sign_in):
    task = make_task(
        "T", code="secret = 1", parameters={"depth": "xyzzy"}, environment={"ROOM": "plugh"}, path="a/b.py"
    )
    switching.switch(task.pk, enabled=False, by=_ann(), now=NOON)
    pages = {}
    for role in ("viewer", "operator", "author", "system_admin"):
        client = sign_in(role)
        pages[role] = (
            client.get(f"{LIST}{task.pk}/change/").content.decode() + client.get(LIST).content.decode()
        )
    for hidden in ("secret = 1", "xyzzy", "plugh", "a/b.py"):
        assert hidden not in pages["viewer"] + pages["operator"]
        assert hidden in pages["author"]
    for button in ("formaction", "th-switch", "/edit/", "/delete/", "New task", 'name="task"'):
        assert button not in pages["viewer"], button
    assert "Run now" in pages["operator"] and "Run with" not in pages["operator"]
    assert "by ann: enabled" in pages["system_admin"] and "by ann" not in pages["author"]


def _ann():
    from taskhub.core.audit import Actor

    return Actor("ann")


def test_mistakes_in_files_are_told_to_who_may_read_them(sign_in, home):
    (home / "config" / "tasks.yaml").write_text(
        "tasks:\n  - name: Sweep\n    code: '1'\n    schedule: 61 * * * *\n"
    )
    page = sign_in("author").get(LIST).content.decode()
    assert "1 mistake in a file" in page and "tasks.yaml, line 4" in page and "tasks[0].schedule" in page
    assert "mistake in a file" not in sign_in("viewer").get(LIST).content.decode()


def test_a_task_that_gave_up_says_so(sign_in):
    task = make_task("T", schedule="0 2 * * *", enabled=False, failure_count=3, max_failures=3)
    page = sign_in("viewer").get(f"{LIST}{task.pk}/change/").content.decode()
    assert "Disabled after 3 failures in a row" in page


def test_an_app_that_is_off_because_of_its_manifest_says_so(sign_in, home):
    folder = home / "apps" / "Shop"
    folder.mkdir(parents=True)
    (folder / "app.yaml").write_text("name: Shop\nversion: '1'\nenabled: maybe\n")
    page = sign_in("author").get(LIST).content.decode()
    assert "enabled: expected true or false" in page and f"{folder}/app.yaml" in page
    (folder / "app.yaml").write_text("name: [\n")
    page = sign_in("author").get(LIST).content.decode()
    assert "line 1: expected YAML" in page and "1 mistake in a file" in page


def test_a_custom_task_says_that_it_hides_one_of_the_file(sign_in, home):
    (home / "config" / "tasks.yaml").write_text("[{name: T, code: '1'}, {name: U, code: '1'}]")
    hiding, other = make_task("T", source="custom"), make_task("V", source="custom")
    client = sign_in("author")
    assert "defines a task of this name, too" in client.get(f"{LIST}{hiding.pk}/change/").content.decode()
    assert "of this name, too" not in client.get(f"{LIST}{other.pk}/change/").content.decode()


def test_rows_come_alone_for_an_open_list(five, sign_in):
    on = Task.objects.get(name="On")
    gone = Task.objects.get(name="Gone")
    answer = sign_in("viewer").get(f"{LIST}rows/?ids={on.pk},{gone.pk},x,99999999999999999999")
    page = answer.content.decode()
    assert page.count("<tr ") == 1 and f'data-task="{on.pk}"' in page and "<html" not in page
    assert sign_in("viewer").get(f"{LIST}rows/").content.decode().count("<tr ") == 0


def test_the_stamp_of_a_row_moves_with_what_it_shows(five, sign_in):
    client = sign_in("viewer")
    on = Task.objects.get(name="On")

    def stamp() -> str:
        return str(client.get(f"{LIST}rows/?ids={on.pk}").context["rows"][0].stamp)

    seen = {stamp()}
    on.last_run_at = timezone.now()
    on.save(update_fields=["last_run_at"])
    seen.add(stamp())
    make_job(state="running", task=on)
    seen.add(stamp())
    Task.objects.filter(pk=on.pk).update(enabled=False)
    seen.add(stamp())
    assert len(seen) == 4


def bulk(client, do: str, *tasks: str, **more: str):
    keys = [str(Task.objects.get(name=name).pk) for name in tasks]
    return client.post(f"{LIST}bulk/", {"do": do, "task": keys, **more}, follow=True)


def test_many_are_switched_at_once_and_the_page_says_what_became_of_them(five, sign_in):
    client = sign_in("operator")
    page = bulk(client, "disable", "On", "Laid", "Off").content.decode()
    assert "2 tasks are disabled, 1 was so already." in page
    assert not Task.objects.filter(name__in=["On", "Laid"], enabled=True).exists()
    assert "1 task is enabled." in bulk(client, "enable", "On").content.decode()
    assert "1 was so already." in bulk(client, "enable", "On").content.decode()


def test_many_are_run_at_once(five, sign_in):
    from jobs_app.models import Job

    Task.objects.filter(name="On").update(code="1", path="", app="")
    Task.objects.filter(name="Off").update(code="1", path="")
    page = bulk(sign_in("operator"), "run", "On", "Off").content.decode()
    assert "2 tasks are queued." in page
    assert Job.objects.filter(task__name__in=["On", "Off"], state="queued").count() == 2


def test_of_many_only_custom_ones_are_deleted_and_only_after_a_question(five, sign_in):
    client = sign_in("operator")
    page = bulk(client, "delete", "Bad", "Laid").content.decode()
    assert "Delete 1 custom task?" in page and "One stays" in page and "Laid" in page
    assert Task.objects.filter(name="Bad").exists()
    assert "expected a custom task" in bulk(client, "delete", "Laid", confirmed="yes").content.decode()
    assert not Task.objects.get(name="Laid").deleted
    assert "1 task is deleted" in bulk(client, "delete", "Bad", confirmed="yes").content.decode()
    assert not Task.objects.filter(name="Bad").exists()


def test_no_tick_and_no_action_are_told(five, sign_in):
    client = sign_in("operator")
    assert "at least one task that is ticked" in bulk(client, "enable").content.decode()
    assert client.post(f"{LIST}bulk/", {"do": "explode"}).status_code == 404


def test_a_viewer_does_nothing_with_many(five, sign_in):
    client = sign_in("viewer")
    for do in ("enable", "disable", "run", "delete"):
        assert bulk(client, do, "On").status_code == 403
