"""`context`, `state` and `emit`: what a script may know and ask."""

import datetime
import gc
import json
from typing import Any

import pytest

from runspaces_app.worker.context import Context, State, injected
from runspaces_app.worker.progress import Progress
from runspaces_app.worker.results import Emitted

pytestmark = pytest.mark.one_database

FRAME: dict[str, Any] = {
    "parameters": {"a": [1]}, "environment": {"OWN": "x"}, "id": "my-job", "task": "nightly", "app": "Shop",
    "owner": None, "trigger": "scheduled", "due_at": "2026-03-29T02:30:00+00:00", "attempt": 2,
}  # fmt: skip


class Engine:
    """The other end of the questions: remembers them and keeps the shared state as the engine does."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.rows: dict[str, tuple[str, int]] = {}
        self.meanwhile: list[tuple[str, str]] = []

    def __call__(self, op: str, **data: Any) -> Any:
        self.asked.append((op, data))
        key = data.get("key", "")
        if op == "spawn":
            return 17
        if op == "state_get":
            found = self.rows.get(key)
            return None if found is None else {"value": found[0], "version": found[1]}
        if op == "state_keys":
            return sorted(self.rows)
        if op == "state_delete":
            return self.rows.pop(key, None) is not None
        if op == "state_swap":
            for other, value in self.meanwhile:
                self._set(other, value)
            self.meanwhile.clear()
            if self.rows.get(key, ("", 0))[1] != data["version"]:
                return False
        self._set(key, data["value"])
        return True

    def _set(self, key: str, value: str) -> None:
        self.rows[key] = value, self.rows.get(key, ("", 0))[1] + 1


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def context(engine: Engine) -> Context:
    return Context(FRAME, ask=engine, cancelled=lambda: False)


@pytest.fixture
def state(engine: Engine) -> State:
    return State(engine)


def test_facts_of_the_job(context: Context) -> None:
    assert (context.job_id, context.task, context.app, context.owner) == ("my-job", "nightly", "Shop", None)
    assert (context.trigger, context.attempt) == ("scheduled", 2)
    assert (context.parameters, context.environment) == ({"a": [1]}, {"OWN": "x"})
    assert context.due_at == datetime.datetime(2026, 3, 29, 2, 30, tzinfo=datetime.UTC)
    assert context.started_at.tzinfo is datetime.UTC
    assert not context.cancelled
    assert Context(FRAME | {"due_at": None}, ask=Engine(), cancelled=lambda: True).due_at is None


def test_a_child_is_asked_for_with_all_that_was_given(context: Context, engine: Engine) -> None:
    made = context.spawn("1 + 1", name="child", parameters={"n": 1}, start=False)
    assert made == "17"
    assert engine.asked == [
        ("spawn", {"spec": {"code": "1 + 1", "path": "", "language": "python", "name": "child",
                            "parameters": {"n": 1}, "environment": {}, "start": False}})
    ]  # fmt: skip


def test_a_refusal_is_an_error_in_the_script() -> None:
    def refuse(op: str, **_: Any) -> Any:
        raise ValueError("language: expected one of python, shell, got 'cobol'")

    with pytest.raises(ValueError, match="cobol"):
        Context(FRAME, ask=refuse, cancelled=lambda: False).spawn("x", language="cobol")


def test_a_child_takes_names_not_positions(context: Context) -> None:
    with pytest.raises(TypeError):
        context.spawn("1", "python")  # type: ignore[call-arg]


def test_collecting_finds_rings(context: Context) -> None:
    gc.collect()
    for _ in range(100):
        ring: list[Any] = []
        ring.append(ring)
    del ring
    assert context.collect() >= 100


def test_shared_values_come_back_as_they_were_set(state: State) -> None:
    state["a"] = {"deep": [1, None, "\N{SNOWMAN}"]}
    assert state["a"] == {"deep": [1, None, "\N{SNOWMAN}"]}
    assert "a" in state
    assert state.keys() == ["a"]
    del state["a"]
    assert "a" not in state


def test_a_value_that_is_not_there(state: State) -> None:
    with pytest.raises(KeyError, match="gone"):
        state["gone"]
    with pytest.raises(KeyError, match="gone"):
        del state["gone"]
    assert (state.get("gone"), state.get("gone", 5)) == (None, 5)


@pytest.mark.parametrize("empty", [None, 0, False, "", []])
def test_empty_values_are_values(state: State, empty: Any) -> None:
    state["empty"] = empty
    assert state.get("empty", "default") == empty


@pytest.mark.parametrize("key", ["", "x" * 201, 5, None, b"bytes", ("a",)])
def test_other_keys_are_refused_before_anybody_is_asked(state: State, engine: Engine, key: Any) -> None:
    for misuse in (
        lambda: state[key], lambda: state.__setitem__(key, 1), lambda: state.__delitem__(key), lambda: key in state,
        lambda: state.get(key), lambda: state.update(key, lambda value: 1),
    ):  # fmt: skip
        with pytest.raises(ValueError, match="a key of 1 to 200 characters"):
            misuse()
    assert engine.asked == []


@pytest.mark.parametrize("value", [object(), {1, 2}, float("nan"), b"bytes"])
def test_values_that_are_no_json_are_refused_before_anybody_is_asked(
    state: State, engine: Engine, value: Any
) -> None:
    with pytest.raises((TypeError, ValueError)):
        state["key"] = value
    assert engine.asked == []


def test_an_update_runs_again_when_another_job_was_faster(state: State, engine: Engine) -> None:
    state["n"] = 1
    engine.meanwhile = [("n", json.dumps(10))]
    seen = []

    def add(value: Any) -> Any:
        seen.append(value)
        return value + 1

    assert state.update("n", add) == 11
    assert seen == [1, 10]
    assert state["n"] == 11


def test_an_update_of_nothing_begins_with_none(state: State) -> None:
    assert state.update("new", lambda value: [value]) == [None]


def test_the_names_a_script_finds(engine: Engine) -> None:
    emitted, progress = Emitted(), Progress(lambda: None)
    names = injected(FRAME, ask=engine, cancelled=lambda: False, progress=progress, emitted=emitted)
    assert set(names) == {"progress", "context", "state", "emit"}
    names["emit"]({"a": datetime.date(2026, 1, 2)})
    assert emitted.text() == '[{"a":"2026-01-02"}]'
    assert names["progress"] is progress
