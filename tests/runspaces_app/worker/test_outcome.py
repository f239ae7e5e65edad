"""Running Python source text, and what is said of each way to end."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runspaces_app.worker import python_job
from runspaces_app.worker.cancel import Cancelled, Canceller
from runspaces_app.worker.outcome import LONGEST_TEXT, Outcome, clipped
from runspaces_app.worker.results import Emitted, to_json

pytestmark = pytest.mark.one_database

ATTEMPT = ("job", 1)
Run = Callable[..., Outcome]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs source as a job would, with `emit` and names of the test's own in it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(sys, "argv", list(sys.argv))

    def call(source: str, *, filename: str = "script.py", **names: Any) -> Outcome:
        emitted = Emitted()
        names |= {"emit": lambda value: emitted.add(to_json(value))}
        return python_job.run(source, filename, names, emitted, Canceller(), ATTEMPT, lambda: None)

    yield call


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("", None), ("# nothing", None), ("x = 5", None), ("5", 5), ("x = 5\nx * 2", 10), ("'doc'", "doc"),
        ("0", 0), ("False", False), ("''", ""), ("[]", []), ("None", None), ("for i in range(3): pass", None),
        ("emit(1)", [1]), ("emit(1)\n99", [1]), ("emit(1); emit([2])", [1, [2]]),
        ("def f():\n    return 7\nf()", 7), ("(lambda: 3)()", 3), ("import json\njson.dumps([1])", "[1]"),
        ("__name__", "__main__"), ("__file__", "script.py"), ("import sys\nsys.argv", ["script.py"]),
        ("import sys\nsys.modules['__main__'].__dict__ is globals()", True),
        ("class A: pass\nimport pickle\ntype(pickle.loads(pickle.dumps(A()))) is A", True),
    ],
)  # fmt: skip
def test_the_last_expression_is_the_result(run: Run, source: str, result: Any) -> None:
    outcome = run(source)
    assert (outcome.kind, json.loads(outcome.result or "")) == ("completed", result), outcome.error_traceback


@pytest.mark.parametrize(
    "leaving", ["raise SystemExit", "raise SystemExit(None)", "raise SystemExit(0)", "import sys; sys.exit()",
                "exit(0)", "quit()"],
)  # fmt: skip
def test_leaving_with_nothing_or_0_is_a_success(run: Run, leaving: str) -> None:
    outcome = run(f"5\n{leaving}")
    assert (outcome.kind, outcome.result, outcome.exit_code) == ("completed", "null", 0)
    assert run(f"emit(5)\n{leaving}").result == "[5]"


@pytest.mark.parametrize(
    ("value", "code", "message"),
    [
        ("3", 3, "The script left with exit code 3."), ("256", 1, "The script left with exit code 256."),
        ("-1", 255, "The script left with exit code -1."), ("True", 1, "The script left with exit code True."),
        ("'no such file'", 1, "no such file"), ("[1]", 1, "[1]"),
        ("10**5000", 1, "The script left with exit code (ValueError while it was put into words)."),
        ("type('Shy', (), {'__str__': lambda self: 1 / 0})()", 1, "(ZeroDivisionError while it was put into words)"),
        ("''", 1, ""),
    ],
)  # fmt: skip
def test_leaving_with_anything_else_is_a_failure(run: Run, value: str, code: int, message: str) -> None:
    outcome = run(f"raise SystemExit({value})")
    assert (outcome.kind, outcome.reason, outcome.error_type) == ("failed", "error", "SystemExit")
    assert (outcome.exit_code, outcome.error_message) == (code, message)


@pytest.mark.parametrize(
    ("source", "error", "reason"),
    [
        ("1 / 0", "ZeroDivisionError", "error"), ("raise KeyboardInterrupt", "KeyboardInterrupt", "error"),
        ("raise GeneratorExit", "GeneratorExit", "error"), ("def f(): f()\nf()", "RecursionError", "error"),
        ("raise MemoryError", "MemoryError", "memory"), ("bytes(1 << 62)", "MemoryError", "memory"),
        ("x = ", "SyntaxError", "error"), ("a\0b", "SyntaxError", "error"), ("  x", "IndentationError", "error"),
        ("class Own(Exception): pass\nraise Own", "Own", "error"),
        ("class A:\n    class Inner(Exception): pass\nraise A.Inner", "A.Inner", "error"),
        ("raise ExceptionGroup('two', [ValueError(1), TypeError(2)])", "ExceptionGroup", "error"),
        ("object()", "result_not_json", "output"), ("emit(print)", "result_not_json", "output"),
        ("'x' * 2_000_000", "result_too_large", "output"),
    ],
)  # fmt: skip
def test_errors_are_named(run: Run, source: str, error: str, reason: str) -> None:
    outcome = run(source)
    assert (outcome.kind, outcome.reason) == ("failed", reason)
    assert outcome.error_type == error or (error, sys.version_info < (3, 12)) == ("SyntaxError", True)


def test_a_traceback_shows_lines_of_the_source_and_none_of_ours(run: Run) -> None:
    text = run("def inner():\n    raise ValueError('deep')\n\ninner()").error_traceback
    assert text.startswith("Traceback (most recent call last):\n")
    assert 'File "script.py", line 4, in <module>\n    inner()' in text
    assert "File \"script.py\", line 2, in inner\n    raise ValueError('deep')" in text
    assert "python_job" not in text


def test_a_traceback_of_a_recursion_and_of_a_huge_message_stays_readable(run: Run) -> None:
    outcome = run("raise ValueError('x' * 10_000_000)")
    assert len(outcome.error_message) < LONGEST_TEXT + 100
    assert len(outcome.error_traceback) < LONGEST_TEXT + 100
    assert "characters left out" in outcome.error_message


@pytest.mark.parametrize("method", ["__str__", "__repr__"])
def test_an_exception_that_cannot_be_put_into_words_is_told_all_the_same(run: Run, method: str) -> None:
    outcome = run(f"class Shy(Exception):\n    def {method}(self): raise RuntimeError('no')\nraise Shy('x')")
    assert (outcome.kind, outcome.error_type) == ("failed", "Shy")


def test_texts_fit_any_database(run: Run) -> None:
    outcome = run("raise ValueError('a\\0b\\ud800c')")
    assert outcome.error_message == "a\N{REPLACEMENT CHARACTER}b?c"
    assert "\0" not in outcome.error_traceback
    outcome.error_traceback.encode()


def test_clipping_keeps_both_ends() -> None:
    assert clipped("abc", 10) == "abc"
    cut = clipped("a" * 500 + "b" * 500, 100)
    assert cut.startswith("a" * 50 + "\n")
    assert cut.endswith("\n" + "b" * 50)
    assert "900 characters left out" in cut


def test_names_of_one_job_are_unknown_to_the_next(run: Run) -> None:
    run("leaked = 1", given=2)
    assert run("[name for name in ('leaked', 'given') if name in globals()]").result == "[]"


def test_the_same_source_is_compiled_once_and_keeps_no_future_of_ours(run: Run) -> None:
    source = "def f(x: undefined): pass\n1"
    # Annotations are evaluated: no `from __future__` of this project leaks into scripts.
    assert run(source).error_type == "NameError"
    assert python_job.compiled("1 + 1", "a.py") is python_job.compiled("1 + 1", "a.py")
    assert python_job.compiled("1 + 1", "b.py") is not python_job.compiled("1 + 1", "a.py")


# Cancelling


@pytest.fixture
def canceller() -> Iterator[Canceller]:
    before = signal.getsignal(signal.SIGRTMIN + 7)
    made = Canceller()
    made.install()
    yield made
    signal.signal(signal.SIGRTMIN + 7, before)


def test_a_request_for_the_armed_attempt_raises_at_once(canceller: Canceller) -> None:
    canceller.arm(ATTEMPT)
    with pytest.raises(Cancelled):
        canceller.ask(ATTEMPT)
    assert canceller.wanted(ATTEMPT)


def test_a_request_for_another_attempt_hits_nobody(canceller: Canceller) -> None:
    canceller.arm(("job", 2))
    canceller.ask(ATTEMPT)
    canceller.disarm()
    assert not canceller.wanted(("job", 2))


def test_a_request_after_the_end_hits_nobody(canceller: Canceller) -> None:
    canceller.arm(ATTEMPT)
    canceller.disarm()
    canceller.ask(ATTEMPT)
    os.kill(os.getpid(), signal.SIGRTMIN + 7)
    canceller.arm(("next", 1))
    canceller.disarm()


def test_a_request_before_the_start_is_met_by_it(canceller: Canceller) -> None:
    canceller.ask(ATTEMPT)
    with pytest.raises(Cancelled):
        canceller.arm(ATTEMPT)


def test_a_request_inside_a_call_of_ours_waits_for_its_end(canceller: Canceller) -> None:
    done = []
    canceller.arm(ATTEMPT)
    with pytest.raises(Cancelled), canceller:
        with canceller:
            canceller.ask(ATTEMPT)
            done.append("inner")
        done.append("outer")
    assert done == ["inner", "outer"]


def test_a_cancelled_script_keeps_what_it_emitted(canceller: Canceller) -> None:
    emitted = Emitted()
    names = {"emit": lambda value: emitted.add(to_json(value)), "stop": lambda: canceller.ask(ATTEMPT)}
    ended: list[int] = []
    outcome = python_job.run(
        "emit(1)\nstop()\nemit(2)", "script.py", names, emitted, canceller, ATTEMPT, lambda: ended.append(1)
    )
    assert (outcome.kind, outcome.result) == ("cancelled", "[1]")
    assert ended


def test_the_end_is_told_before_the_result_is_looked_at(canceller: Canceller) -> None:
    order: list[str] = []

    class Telling(Emitted):
        def __bool__(self) -> bool:
            order.append("result")
            return False

    python_job.run("1", "script.py", {}, Telling(), canceller, ATTEMPT, lambda: order.append("ended"))
    assert order[:2] == ["ended", "result"]
