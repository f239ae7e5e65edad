import platform
import time

import pytest

from runspaces_app import languages
from runspaces_app.languages import CheckFailed

PYTHON = languages.get("python")


def test_it_runs_inside_the_runspace_and_tells_its_version():
    assert PYTHON.in_process
    assert PYTHON.version() == platform.python_version()


@pytest.mark.parametrize(
    "code", ["", "1 + 1", "def f():\n    return 1\n", "# \u00e4\n'\u20ac'", "'\\d'", "assert (1, 2)"]
)
def test_what_compiles_passes(code):
    PYTHON.check(code)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("x = = 1", "SyntaxError"),
        ("if x:\nprint()", "IndentationError"),
        ("return 1", "SyntaxError"),
        ("a\0b", "Error"),
        ("(" * 5000, "SyntaxError"),
        ("-" * 200_000 + "1", "Error"),
        ("x = " + "+".join(["y"] * 100_000), "RecursionError"),
        ("'\ud800'", "UnicodeEncodeError"),
    ],
    ids=["syntax", "indentation", "return", "nul", "parentheses", "minus", "deep", "surrogate"],
)
def test_what_does_not_compile_is_refused(code, kind):
    with pytest.raises(CheckFailed) as caught:
        PYTHON.check(code)
    assert kind in caught.value.message
    assert caught.value.code == "check_failed"


def test_the_line_is_named():
    with pytest.raises(CheckFailed) as caught:
        PYTHON.check("a = 1\nb = 2\nc = = 3\n")
    assert caught.value.line == 3
    assert str(caught.value).startswith("line 3: ")


def test_text_that_explodes_in_the_compiler_is_refused_in_time():
    began = time.monotonic()
    # The body of a finally clause is compiled twice, so each level doubles the work.
    nested = "".join(f"{' ' * depth}try: pass\n{' ' * depth}finally:\n" for depth in range(18))
    with pytest.raises(CheckFailed):
        PYTHON.check(nested + " " * 18 + "x = f(y, z); " * 20 + "\n")
    assert time.monotonic() - began < 10


def test_text_that_needs_too_much_memory_is_refused():
    with pytest.raises(CheckFailed):
        PYTHON.check("x = [" + "{1:(2,3)}," * 900_000 + "]")
