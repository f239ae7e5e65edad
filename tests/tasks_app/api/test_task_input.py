"""What is wrong with a task is said by the field, in time, and leaves nothing behind."""

import time
from typing import Any

import pytest

from tasks_app.models import Task

pytestmark = pytest.mark.django_db
NEW = {"name": "Mine", "code": "1"}


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", [None, 1, [], "", " ", " a", "a\n", "n" * 129]),
        ("app", [None, 1, "Nowhere", "../..", "a" * 65]),
        ("description", [None, 1, "d" * 10_001]),
        ("enabled", [None, 1, "true", []]),
        ("tags", [None, "a", [1], [""], ["t" * 65], ["t"] * 51, {"a": 1}]),
        ("language", [None, 1, "klingon"]),
        ("code", [None, 1, []]),
        ("path", [None, 1, "/etc/passwd", "../x", "a\\b"]),
        ("parameters", [None, 1, "{}", [], {"a": "x" * 300_000}]),
        ("environment", [None, 1, {"A": 1}, {"A": True}, {"A": None}, {"a b": "x"}, {"A": "x" * 300_000}]),
        ("schedule", [1, [], "* * * *", "61 * * * *", "0 0 30 2 *", "@never", "1" * 257, "*" * 100_000, "x" * 300]),
        ("at", [1, "soon", "2126-13-01", {}]),
        ("timezone", [None, 1, "Mars", "../etc/passwd", "x" * 500]),
        ("misfire", [None, 1, "later"]),
        ("overlap", [None, 1, "maybe"]),
        ("pool", [None, 1, "gpu"]),
        ("priority", [None, "1", 1.5, True, 101, 2**63]),
        ("idempotent", [None, "yes", 0]),
        ("termination", [None, 1, [], {"max_runtime": "1"}, {"max_runtime": 0}, {"max_failures": 0}, {"colour": 1}]),
        ("retry", [None, 1, {"max_attempts": 0}, {"backoff": -1}, {"backoff": "1"}, {"jitter": 1}, {"colour": 1}]),
        ("colour", ["red"]), ("schedul", ["* * * * *"]), ("is_running", [True]), ("id", [1]),
    ],
)  # fmt: skip
def test_a_field_that_does_not_fit_is_named_at_once(call, field, values):
    call("post", "", {})  # what is only loaded once
    for value in values:
        given = {name: said for name, said in NEW.items() if not (field == "path" and name == "code")}
        spent = []
        # The better of two: a collection of garbage may fall into one of them.
        for _ in range(2):
            began = time.process_time()
            answer = call("post", "", {**given, field: value})
            spent.append(time.process_time() - began)
        body = answer.json()
        assert answer.status_code == 400, (field, value, body)
        assert {name.partition(".")[0].partition("[")[0] for name in body["fields"]} == {field}, (value, body)
        assert any(word in body["error"] for word in ("expected", "is not in", "no field")), body
        assert min(spent) < 0.1 or len(str(value)) > 50_000
    assert not Task.objects.filter(source="custom").exists()


def test_what_fields_say_together_is_refused(call):
    for given, field in (
        ({"code": "1", "path": "a.py"}, "script"), ({}, "script"),
        ({"code": "1", "schedule": "@daily", "at": "2126-01-01"}, "at"),
        ({"code": "1", "parameters": {"a": "x" * 200_000}, "environment": {"A": "x" * 100_000}}, "environment"),
    ):  # fmt: skip
        answer = call("post", "", {"name": "Mine", **given})
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field]), answer.content[:300]


@pytest.mark.parametrize("verb", ["put", "patch"])
def test_a_change_that_does_not_fit_changes_nothing(verb, call, sweep):
    for field, value in (("schedule", "0 0 30 2 *"), ("enabled", "no"), ("environment", {"a b": "x"}),
                         ("retry", {"max_attempts": 0}), ("colour", 1)):  # fmt: skip
        answer = call(verb, f"/{sweep.pk}", {"termination": {"max_runtime": 5}, field: value})
        assert (answer.status_code, verb) == (400, verb)
        assert next(iter(answer.json()["fields"])).startswith(field)
    assert Task.objects.get(pk=sweep.pk).max_runtime == 60


def test_equal_names_in_one_app_are_a_conflict(call):
    assert call("post", "", NEW).status_code == 201
    for name in ("Mine", "Sweep"):
        answer = call("post", "", {**NEW, "name": name})
        assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (
            409, "task_exists", ["name"],
        )  # fmt: skip


def test_a_preview_tells_words_times_and_notes(call):
    answer = call("get", "/preview?cron=0+3+*+*+1&timezone=Europe/Berlin&count=60").json()
    assert (answer["cron"], answer["timezone"], len(answer["results"])) == ("0 3 * * 1", "Europe/Berlin", 60)
    assert "03:00" in answer["words"] and "Monday" in answer["words"]
    notes = [
        run["note"]
        for run in call("get", "/preview?cron=30+2+*+*+0&timezone=Europe/Berlin&count=60").json()["results"]
    ]
    assert any("does not exist" in note for note in notes) and any("happens twice" in note for note in notes)
    assert len(call("get", "/preview?cron=@daily").json()["results"]) == 5


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "cron"), ("cron=", "cron"), ("cron=61+*+*+*+*", "cron"), ("cron=0+0+30+2+*", "cron"),
        ("cron=" + "1" * 257, "cron"), ("cron=%00", "cron"), ("cron=@daily&timezone=Mars", "timezone"),
        ("cron=@daily&count=0", "count"), ("cron=@daily&count=101", "count"), ("cron=@daily&colour=1", "colour"),
    ],
)  # fmt: skip
def test_a_preview_of_nonsense_is_refused_by_name(query, field, call):
    answer = call("get", f"/preview?{query}")
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field]), answer.content


def test_overrides_go_out_and_come_in_again(call, sweep):
    call("patch", f"/{sweep.pk}", {"enabled": False, "environment": {"C": "3"}})
    call("post", "", {"name": "Mine", "code": "1", "schedule": "@daily"})
    document = call("get", "/export").json()
    assert [entry["name"] for entry in document["tasks"]] == ["Mine", "Sweep"]
    assert call("get", f"/{sweep.pk}/export").json()["tasks"] == document["tasks"][1:]
    call("post", f"/{sweep.pk}/reset")
    tried = call("post", "/import?dry_run=true", document)
    assert tried.json() == {"created": 0, "changed": 1, "unchanged": 1, "dry_run": True}
    assert Task.objects.get(pk=sweep.pk).enabled, "only tried"
    assert call("post", "/import", document).json() == {
        "created": 0,
        "changed": 1,
        "unchanged": 1,
        "dry_run": False,
    }
    assert not Task.objects.get(pk=sweep.pk).enabled
    broken = {"tasks": [{"name": "Sweep", "enabled": True}, {"name": "Sweep", "schedule": "61 * * * *"}]}
    answer = call("post", "/import", broken)
    assert (answer.status_code, list(answer.json()["fields"])) == (400, ["tasks[1].schedule"])
    assert not Task.objects.get(pk=sweep.pk).enabled, "all or nothing"
    wrong: list[Any] = [
        [], {}, {"tasks": 1}, {"tasks": [1]}, {"tasks": [], "version": "9"}, {"tasks": [], "x": 1},
    ]  # fmt: skip
    for body in wrong:
        assert call("post", "/import", body).status_code == 400, body
