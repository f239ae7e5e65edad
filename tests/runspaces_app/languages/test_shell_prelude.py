"""What a shell script says by progress, result and emit arrives as JSON, whatever the text."""

import json
import os
import shutil
import subprocess
import threading

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runspaces_app import languages

SHELLS = [name for name in ("sh", "dash", "bash") if shutil.which(name)]

# Every byte a shell variable can hold, with those that mean something to a shell or to JSON more often.
TEXTS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b'"',
                b"\\",
                b"\n",
                b"\t",
                b" ",
                b"'",
                b"$x",
                b"`",
                b"*",
                b"%s",
                b"\\n",
                b".",
                b"\x01",
                b"TASKHUB\n",
            ]
        ),
        st.integers(1, 255).map(lambda number: bytes([number])),
    ),
    max_size=40,
).map(b"".join)


@pytest.mark.parametrize("shell", SHELLS)
@given(text=TEXTS)
@example(text=b"")
@example(text=b"--json")
@example(text=b"-n")
@example(text=bytes(range(1, 256)))
@settings(max_examples=60, deadline=None)
def test_any_text_arrives_unchanged(shell, text, tmp_path_factory):
    said = run(
        tmp_path_factory,
        shell,
        b"set -eux; IFS=abc; result -- " + quoted(text) + b"; emit -- 1 " + quoted(text),
    )
    wanted = text.decode("utf-8", "surrogateescape")
    assert said.lines == [{"result": wanted}, {"emit": "1"}, {"emit": wanted}]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("progress 40", {"progress": 40}),
        ("progress 040.50 'Half way'", {"progress": 40.5, "message": "Half way"}),
        ("progress .5", {"progress": 0.5}),
        ("progress 5.", {"progress": 5}),
        ("progress -3", {"progress": -3}),
        ("progress 250", {"progress": 250}),
        ("progress Copying", {"message": "Copying"}),
        ("progress - 40", {"message": "40"}),
        ("progress '' 'a \"b\"'", {"message": 'a "b"'}),
        ("progress 1e3", {"message": "1e3"}),
        ("result ''", {"result": ""}),
        ("result 0", {"result": "0"}),
        ("result --json 0", {"result": 0}),
        ("result --json '{\"a\":\n [1,\n2]}'", {"result": {"a": [1, 2]}}),
        ("emit --json false", {"emit": False}),
    ],
)
def test_calls_and_what_they_say(shell, call, said, tmp_path_factory):
    assert run(tmp_path_factory, shell, call.encode()).lines == [said]


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "call", ["progress", "progress ''", "progress a b", "progress 1 2 3", "result", "result a b", "emit"]
)
def test_a_wrong_call_says_so_and_nothing_else(shell, call, tmp_path_factory):
    said = run(tmp_path_factory, shell, call.encode())
    assert said.lines == []
    assert said.status == 2
    assert "expected" in said.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_of_the_script_is_touched(shell, tmp_path_factory):
    script = b"""
        set -u; line=1 rest=2 text=3 value=4 IFS=:
        before=$-; progress 10 'x y'; result r; emit a b
        echo "$line$rest$text$value[$IFS]$#"; [ "$before" = "$-" ] && echo same
    """
    assert run(tmp_path_factory, shell, script).stdout == "1234[:]0\nsame\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_nothing_of_the_script_gets_in(shell, tmp_path_factory):
    script = b"""
        [ -z "${BASH_VERSION-}" ] || shopt -s expand_aliases
        alias printf=false shift=false case=false
        set -vx
        progress 10 'x y'; result --json 1; emit a
    """
    said = run(tmp_path_factory, shell, script)
    assert said.lines == [{"progress": 10, "message": "x y"}, {"result": 1}, {"emit": "a"}]
    # The script's own lines are shown, as it asked for; those of Taskhub's functions are not.
    assert "emit a" in said.stderr
    assert "_taskhub" not in said.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_may_have_functions_of_those_names(shell, tmp_path_factory):
    said = run(tmp_path_factory, shell, b'result() { echo "own $1"; }\nresult 5\n')
    assert said.lines == []
    assert said.stdout == "own 5\n"


@pytest.mark.parametrize(
    "text",
    [b"x" * 900_000, b'a\tb"\\\n' * 40_000, b"\n" * 100_000, b'"' * 400_000],
    ids=["long", "mixed", "lines", "quotes"],
)
def test_long_texts_take_time_by_their_length(text, tmp_path_factory):
    folder = tmp_path_factory.mktemp("big")
    (folder / "text").write_bytes(text)
    said = run(tmp_path_factory, "sh", f'a=$(cat {folder}/text; echo .)\nresult -- "${{a%.}}"\n'.encode())
    assert said.lines == [{"result": text.decode()}]


def test_short_messages_are_one_write_each(tmp_path_factory):
    """Several writers may share the channel; the kernel keeps writes of up to 4,096 bytes whole."""
    script = (
        b"for n in 1 2 3 4; do (for m in 1 2 3 4 5 6 7 8 9; do emit " + b"y" * 3000 + b"; done) & done; wait"
    )
    assert run(tmp_path_factory, "sh", script).lines == [{"emit": "y" * 3000}] * 36


class Said:
    def __init__(self, status, stdout, stderr, channel):
        self.status = status
        self.stdout = stdout.decode("utf-8", "replace")
        self.stderr = stderr.decode("utf-8", "replace")
        self.lines = [
            json.loads(line.decode("utf-8", "surrogateescape")) for line in channel.split(b"\n")[:-1]
        ]


def run(tmp_path_factory, shell, script):
    path = tmp_path_factory.mktemp("script") / "script.sh"
    path.write_bytes(script)
    argv = languages.get("shell").argv(str(path))
    # The name of the shell to try stands in place of the host's own.
    argv[0] = shell
    read_end, write_end = os.pipe()
    channel = bytearray()

    def gather():
        while piece := os.read(read_end, 1 << 16):
            channel.extend(piece)

    reader = threading.Thread(target=gather, name="channel reader")
    reader.start()
    # Descriptor 3 through a shell of its own: pass_fds keeps numbers, and 3 may be taken here.
    starter = ["sh", "-c", f'exec "$@" 3>/dev/fd/{write_end}', "sh", *argv]
    try:
        process = subprocess.run(
            starter, pass_fds=[write_end], capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
    finally:
        os.close(write_end)
        reader.join()
        os.close(read_end)
    return Said(process.returncode, process.stdout, process.stderr, bytes(channel))


def quoted(text):
    return b"'" + text.replace(b"'", b"'\\''") + b"'"
