"""Running Python source text inside the runspace. Standard library only."""

import ast
import linecache
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from .cancel import Cancelled, Canceller
from .outcome import CANCELLED, COMPLETED, Outcome, clipped
from .results import BadResult, Emitted, to_json

_CACHED_SOURCES = 64
_compiled: dict[tuple[str, str], tuple[types.CodeType, types.CodeType | None]] = {}


def compiled(source: str, filename: str) -> tuple[types.CodeType, types.CodeType | None]:
    """Code of all statements but a last expression, and that expression's code if there is one."""
    key = (source, filename)
    found = _compiled.get(key)
    if found is None:
        tree = ast.parse(source, filename)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            expression = tree.body.pop()
            assert isinstance(expression, ast.Expr)  # noqa: S101 - for the type checker
            last = compile(ast.Expression(expression.value), filename, "eval", dont_inherit=True)
        found = compile(tree, filename, "exec", dont_inherit=True), last
        if len(_compiled) >= _CACHED_SOURCES:
            _compiled.clear()
        _compiled[key] = found
    return found


def source_of(script: str) -> str | Outcome:
    """The text of a script; or, where it is none, how the job ends for that."""
    with open(script, "rb") as file:
        data = file.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        said = f"{script}, line {line}: expected UTF-8, got byte {data[exc.start]:#04x}"
        return Outcome.failed("UnicodeDecodeError", said)


def run(
    source: str,
    filename: str,
    names: dict[str, Any],
    emitted: Emitted,
    canceller: Canceller,
    attempt: object,
    ended: Callable[[], None],
) -> Outcome:
    """Execute the source as `__main__` with these names in it.

    Args:
        ended: called as soon as no line of it runs any more, before anything else of ours.

    The result is the list of what was emitted, else the value of the last expression.
    """
    module = types.ModuleType("__main__")
    space = module.__dict__
    space.update(names)
    space["__file__"] = filename
    sys.modules["__main__"] = module
    sys.argv[:] = [filename]
    try:
        try:
            # Compiled in here: a source that exhausts the parser fails the job, not the runspace.
            code, last = compiled(source, filename)
            canceller.arm(attempt)
            exec(code, space)  # noqa: S102 - this is what a runspace is for
            value = eval(last, space) if last is not None else None  # noqa: S307
            ended()
            text = emitted.text() if emitted else to_json(value)
            canceller.disarm()
            return Outcome(COMPLETED, result=text)
        finally:
            canceller.disarm()
            ended()
    except Cancelled:
        canceller.disarm()
        return Outcome(CANCELLED, result=_emitted_so_far(emitted))
    except BadResult as exc:
        return Outcome.failed(exc.code, str(exc), reason="output")
    except SystemExit as exc:
        return _exited(exc, emitted)
    except MemoryError as exc:
        return _raised(exc, source, filename, reason="memory")
    except BaseException as exc:
        return _raised(exc, source, filename, reason="error")


def _exited(exc: SystemExit, emitted: Emitted) -> Outcome:
    if exc.code is None or exc.code == 0:
        try:
            return Outcome(COMPLETED, result=emitted.text() if emitted else "null", exit_code=0)
        except BadResult as problem:
            return Outcome.failed(problem.code, str(problem), reason="output")
    if isinstance(exc.code, int):
        # A process would leave with the lowest byte alone; one that says failure must not become 0 by that.
        code = exc.code & 0xFF or 1
        return Outcome.failed(
            "SystemExit", f"The script left with exit code {_words(exc.code)}.", exit_code=code
        )
    return Outcome.failed("SystemExit", _words(exc.code), exit_code=1)


def _words(value: object) -> str:
    try:
        return str(value)
    except Exception as exc:  # whatever a script put there, or a number of 5,000 digits
        return f"({type(exc).__name__} while it was put into words)"


def _emitted_so_far(emitted: Emitted) -> str | None:
    try:
        return emitted.text() if emitted else None
    except BadResult:
        return None


def _raised(exc: BaseException, source: str, filename: str, *, reason: str) -> Outcome:
    # The lines of the source appear in the traceback although no such file exists.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    try:
        shown = exc.__traceback__
        while shown is not None and shown.tb_frame.f_code.co_filename == __file__:
            shown = shown.tb_next
        text = "".join(traceback.format_exception(type(exc), exc, shown))
        message = str(exc)
    except Exception as second:  # an exception whose own text raises
        text, message = "", f"({type(second).__name__} while the error was put into words)"
    finally:
        linecache.cache.pop(filename, None)
    return Outcome.failed(type(exc).__qualname__, message, reason=reason, error_traceback=clipped(text))
