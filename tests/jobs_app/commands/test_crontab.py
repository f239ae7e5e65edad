"""The line in the user's crontab, with a crontab program that behaves like Debian's, and with ones that do not."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs_app.commands import crontab
from jobs_app.commands.crontab import MARK, CrontabTrouble

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
OTHERS = "MAILTO=me\n# mine\n0 3 * * * backup --to 'a b'\n"


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
    table.write_text(OTHERS)
    wanted = crontab.line(["/opt/taskhub"], {"TASKHUB_HOME": "/data"})

    assert crontab.install(wanted) is True
    assert table.read_text() == OTHERS + wanted + "\n"
    assert crontab.install(wanted) is False
    moved = crontab.line(["/opt/other"], {"TASKHUB_HOME": "/data"})
    assert crontab.install(moved) is True
    assert crontab.ours() == [moved]
    assert crontab.remove() is True
    assert table.read_text() == OTHERS
    assert crontab.remove() is False


def test_a_user_without_a_crontab_gets_one(program: Callable[[str], Path]) -> None:
    table = program(HONEST)
    assert crontab.ours() == []
    crontab.install(crontab.line(["/opt/taskhub"], {}))
    assert table.read_text().count("\n") == 1


def test_odd_paths_are_quoted_for_the_shell_and_for_cron() -> None:
    text = crontab.line(["/opt/my py/python", "/srv/100%/manage.py"], {"TASKHUB_HOME": "/data/it's"})
    assert text.startswith("* * * * * env ") and text.endswith(MARK)
    assert r"100\%" in text
    command = text.removeprefix("* * * * * ").replace("\\%", "%")
    assert shlex.split(command, comments=True)[:6] == [
        "env", "TASKHUB_HOME=/data/it's", "/opt/my py/python", "/srv/100%/manage.py", "run_engine", "--once",
    ]  # fmt: skip
    with pytest.raises(CrontabTrouble, match="line break"):
        crontab.line(["/a\nb"], {})


def test_a_program_that_writes_nothing_is_found_out(program: Callable[[str], Path]) -> None:
    program(FORGETFUL)
    with pytest.raises(CrontabTrouble, match="not the same"):
        crontab.install(crontab.line(["/opt/taskhub"], {}))


def test_a_program_that_refuses_is_quoted(program: Callable[[str], Path]) -> None:
    program(REFUSING)
    with pytest.raises(CrontabTrouble, match="not allowed to use this program") as caught:
        crontab.install(crontab.line(["/opt/taskhub"], {}))
    assert caught.value.code == "crontab_trouble"


def test_a_machine_without_the_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CrontabTrouble, match="expected the program crontab"):
        crontab.ours()
