"""C#: statements, statements with types, whole programs; and what the prelude says."""

import pytest

from runspaces_app import languages
from runspaces_app.languages import CheckFailed
from tests.runspaces_app.languages.channel import run

CSHARP = languages.get("csharp")
pytestmark = pytest.mark.skipif(CSHARP.interpreter() is None, reason=f"C# is not installed: {CSHARP.install}")

WITH_TYPES = """using System.Globalization;
// A note.
var found = new Point { X = 3 };
Emit(found);
Emit(CultureInfo.InvariantCulture.Name);

public class Point
{
    public int X { get; set; }
}
"""
PROGRAM = """using System;
static class Own
{
    static int Main(string[] args)
    {
        TaskhubPrelude.Emit(args.Length);
        return 4;
    }
}
"""


def test_statements_and_types_stand_in_one_text(tmp_path):
    said = run(CSHARP, WITH_TYPES, tmp_path)
    assert said.lines == [{"emit": {"X": 3}}, {"emit": ""}], said.stderr
    assert (said.status, said.stdout, said.stderr) == (0, "", "")


def test_a_whole_program_is_run_by_its_main(tmp_path):
    said = run(CSHARP, PROGRAM, tmp_path)
    assert (said.status, said.lines) == (4, [{"emit": 0}]), said.stderr


def test_every_kind_of_value_arrives(tmp_path):
    code = r"""
        Emit(null, true, 1.5, 1e300, 7, "\u2028 \" \\ \n ü \U0001f600", 'x', 1.10m, Guid.Empty);
        Emit(new DateTime(2026, 1, 2, 3, 4, 5, DateTimeKind.Utc));
        Emit(new Dictionary<string, object> { ["a"] = new[] { 1, 2 } });
        Emit(Parameters["deep"], Parameters["text"], Parameters["half"]);
    """
    given = '{"deep": [{"k": null}, true, -5], "text": "\\u00fc\\n\\"", "half": 0.5}'
    said = run(CSHARP, code, tmp_path, TASKHUB_PARAMETERS=given)
    assert [line["emit"] for line in said.lines] == [
        None, True, 1.5, 1e300, 7, '\u2028 " \\ \n ü \U0001f600', "x", "1.10",
        "00000000-0000-0000-0000-000000000000", "2026-01-02T03:04:05.0000000Z", {"a": [1, 2]},
        [{"k": None}, True, -5], 'ü\n"', 0.5,
    ], said.stderr  # fmt: skip


@pytest.mark.parametrize(
    "call", ["Progress(double.NaN);", 'Progress(" ");', "Result(double.NaN);", 'Progress(5, "");']
)
def test_a_wrong_call_is_an_error_that_says_so(call, tmp_path):
    said = run(CSHARP, call, tmp_path)
    assert said.status == 1
    assert [line["error"]["type"] for line in said.lines] == ["ArgumentException"]


def test_an_error_names_the_line_of_the_author(tmp_path):
    (line,) = run(CSHARP, "using System.Linq;\n\nthrow new Exception();", tmp_path).lines
    assert "script.cs:3" in line["error"]["traceback"]


def test_what_does_not_compile_is_the_error_of_the_job(tmp_path):
    said = run(CSHARP, "var a = 1;\nvar b = nowhere;", tmp_path)
    (line,) = said.lines
    assert said.status == 1
    assert line["error"]["type"] == "CompileError"
    assert "script.cs(2," in line["error"]["message"]
    assert "nowhere" in said.stderr


@pytest.mark.parametrize(("code", "line"), [("var a = 1;\nvar b = 1", 2), ("\n\nnowhere();", 3)])
def test_the_check_names_the_line(code, line):
    with pytest.raises(CheckFailed) as caught:
        CSHARP.check(code)
    assert caught.value.line == line


@pytest.mark.parametrize("code", ["", WITH_TYPES, PROGRAM, CSHARP.snippet, "#!/usr/bin/csharp\nreturn 3;"])
def test_what_would_compile_passes(code):
    CSHARP.check(code)
