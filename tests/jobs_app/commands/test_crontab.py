"""The line in the user's crontab, with a crontab program that behaves like Debian's, and with ones that do not."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs_app.commands import crontab
from jobs_app.commands.crontab import CrontabTrouble

pytestmark = pytest.mark.one_database

# Keeps the table in a file, as the real one does, and complains as it does when there is none.
HONEST = """#!/bin/sh
table={table}
case $1 in
    -l) [ -f "$table" ] && exec cat "$table"; echo "no crontab for tester" >&2; exit 1 ;;
    -) cat > "$table" ;;
esac
"""
FORGETFUL = """#!/bin/sh
case $1 in
    -l) echo "no crontab for tester" >&2; exit 1 ;;
    -) cat > /dev/null ;;
esac
"""
REFUSING = "#!/bin/sh\necho 'you (tester) are not allowed to use this program' >&2\nexit 1\n"
# Not in UTF-8, with a carriage return, a form feed, a mark that is not quite ours.
OTHERS = (
    b"MAILTO=me\n# mine, caf\xe9\n0 3 * * * backup --to 'a b'\r\n\n# page\x0cbreak\x85\n"
    b"5 5 * * * taskhub run_engine --once # taskhub\n"
)
HOME = Path("/data")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Put a crontab program into PATH; returns the file of its table."""

    def install(text: str) -> Path:
        folder, table = tmp_path / "bin", tmp_path / "table"
        folder.mkdir()
        (folder / "crontab").write_text(text.replace("{table}", shlex.quote(str(table))))
        (folder / "crontab").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        return table

    return install


def test_one_line_is_written_and_the_others_stay(program: Callable[[str], Path]) -> None:
    table = program(HONEST)
    table.write_bytes(OTHERS)
    wanted = crontab.line(["/opt/taskhub"], HOME)

    assert crontab.install(wanted, HOME) is True
    assert table.read_bytes() == OTHERS + wanted.encode() + b"\n"
    assert crontab.install(wanted, HOME) is False
    moved = crontab.line(["/opt/other"], HOME)
    assert crontab.install(moved, HOME) is True
    assert crontab.ours(HOME) == [moved]
    assert crontab.remove(HOME) is True
    assert table.read_bytes() == OTHERS
    assert crontab.remove(HOME) is False


def test_each_data_folder_has_a_line_of_its_own(program: Callable[[str], Path]) -> None:
    program(HONEST)
    second = Path("/other data")
    lines = [crontab.line(["/opt/taskhub"], home) for home in (HOME, second)]
    for wanted, home in zip(lines, (HOME, second), strict=True):
        crontab.install(wanted, home)
    assert crontab.remove(HOME) is True
    assert crontab.ours(HOME) == [] and crontab.ours(second) == [lines[1]]


def test_lines_that_were_doubled_by_hand_become_one(program: Callable[[str], Path]) -> None:
    table = program(HONEST)
    wanted = crontab.line(["/opt/taskhub"], HOME)
    table.write_text(f"{wanted}\n{wanted}\n")
    assert crontab.install(wanted, HOME) is True
    assert table.read_text() == f"{wanted}\n"


def test_a_user_without_a_crontab_gets_one(program: Callable[[str], Path]) -> None:
    table = program(HONEST)
    assert crontab.ours(HOME) == []
    crontab.install(crontab.line(["/opt/taskhub"], HOME), HOME)
    assert table.read_text().count("\n") == 1


def test_odd_paths_are_quoted_for_the_shell_and_for_cron() -> None:
    home = Path("/data/it's 5%")
    text = crontab.line(["/opt/my py/python", "/srv/100%/manage.py"], home)
    assert text.startswith("* * * * * env ") and text.endswith(crontab.mark(home))
    assert text.count("%") == text.count("\\%") == 3
    command = text.removeprefix("* * * * * ").replace("\\%", "%")
    assert shlex.split(command, comments=True) == [
        "env", "TASKHUB_HOME=/data/it's 5%", "/opt/my py/python", "/srv/100%/manage.py", "run_engine", "--once",
        ">/data/it's 5%/logs/cron.log", "2>&1",
    ]  # fmt: skip
    with pytest.raises(CrontabTrouble, match="line break"):
        crontab.line(["/a\nb"], HOME)


def test_a_program_that_writes_nothing_is_found_out(program: Callable[[str], Path]) -> None:
    program(FORGETFUL)
    with pytest.raises(CrontabTrouble, match="not the same ones"):
        crontab.install(crontab.line(["/opt/taskhub"], HOME), HOME)


def test_a_program_that_refuses_is_quoted(program: Callable[[str], Path]) -> None:
    program(REFUSING)
    with pytest.raises(CrontabTrouble, match="not allowed to use this program") as caught:
        crontab.install(crontab.line(["/opt/taskhub"], HOME), HOME)
    assert caught.value.code == "crontab_trouble"


def test_a_machine_without_the_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CrontabTrouble, match="expected the program crontab"):
        crontab.ours(HOME)
