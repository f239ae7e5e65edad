"""The commands at a terminal, before a reader who leaves, and without what they need."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.harness import Installation
from tests.support import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.one_database]

COLUMNS = 80


class Terminal:
    """A command at a terminal of its own; `seen` is all that it has shown."""

    def __init__(self, installation: Installation, *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [*installation.command, *arguments],
            env=installation.environ(COLUMNS=str(COLUMNS)), stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        os.set_blocking(self._ours, False)
        self.seen = ""

    def shows(self, text: str, timeout: float = 30.0) -> bool:
        return bool(wait_until(lambda: text in self._look(), timeout, f"{text!r} is shown: {self.seen!r}"))

    def ended(self, timeout: float = 30.0) -> int:
        wait_until(
            lambda: self._look() is not None and self.process.poll() is not None, timeout, "it has ended"
        )
        self._look()
        os.close(self._ours)
        return self.process.wait()

    def _look(self) -> str:
        try:
            while data := os.read(self._ours, 65_536):
                self.seen += data.decode()
        except (BlockingIOError, OSError):
            # Nothing to read yet, or nobody is left on the other side.
            pass
        return self.seen


def test_output_is_followed_with_its_colours_and_nothing_else(taskhub: Installation, tmp_path: Path) -> None:
    gate, file = tmp_path / "gate", tmp_path / "hostile.sh"
    file.write_text(
        f"printf '\\033[31mred\\033[0m\\033'; until [ -e '{gate}' ]; do sleep 0.05; done\n"
        "printf ']0;title\\007 done\\n'; exit 5\n"
    )
    terminal = Terminal(taskhub, "job", "run", str(file), "--follow", "--name", "evil\x1b[2Jname")
    terminal.shows("\x1b[31mred\x1b[0m")
    gate.touch()
    assert terminal.ended() == 5
    assert "\x1b[31mred\x1b[0m done\r\n" in terminal.seen
    assert "title" not in terminal.seen and "\x1b[2J" not in terminal.seen
    assert "evilname failed" in terminal.seen


def test_who_waits_sees_how_far_it_is(taskhub: Installation, tmp_path: Path) -> None:
    gate, file = tmp_path / "gate", tmp_path / "long.py"
    file.write_text(
        "import os, time\n"
        "progress.percent_complete = 40\nprogress.status_message = 'half way'\n"
        f"while not os.path.exists({str(gate)!r}): time.sleep(0.05)\n'the result'"
    )
    terminal = Terminal(taskhub, "job", "run", str(file), "--wait")
    terminal.shows("40 %  running  half way")
    gate.touch()
    assert terminal.ended() == 0
    # The bar is gone, and what is left says how it ended.
    last = terminal.seen.rpartition("\x1b[K")[2]
    assert last.startswith("long.py completed") and '"the result"' in last


def test_a_table_fits_the_terminal(taskhub: Installation, tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text("1")
    taskhub.manage("job", "run", str(file), "--wait", "--name", "n" * 150)
    terminal = Terminal(taskhub, "job", "list")
    assert terminal.ended() == 0
    assert "completed" in terminal.seen
    assert max(map(len, terminal.seen.splitlines())) <= COLUMNS
    assert "n" * 150 in taskhub.manage("job", "list").stdout


def test_without_an_engine_a_waiting_person_is_told(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text("1")
    terminal = Terminal(installation, "job", "run", str(file), "--id", "alone", "--wait")
    terminal.shows("No engine runs at the moment")
    assert installation.manage("job", "cancel", "alone").returncode == 0
    assert terminal.ended() == 1


def test_a_reader_who_leaves_is_no_trouble(installation: Installation) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" task list --json | true; echo "${PIPESTATUS[0]}"', "bash", *installation.command],
        env=installation.environ(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


@pytest.mark.parametrize(
    "arguments", [("task", "list"), ("job", "list"), ("job", "cancel", "x"), ("task", "next")]
)
def test_a_database_that_was_never_prepared_is_told_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = Installation(tmp_path / "home").manage(*arguments)
    assert done.returncode == 1
    assert "taskhub up" in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_a_word_that_is_no_text_is_told_in_one_line(installation: Installation) -> None:
    for arguments in (
        ("task", "run", "\udcff"),
        ("job", "cancel", "\udcff"),
        ("job", "list", "--search", "\udcff"),
    ):
        done = installation.manage(*arguments)
        assert done.returncode == 1 and len(done.stderr.strip().splitlines()) == 1, (arguments, done.stderr)
