"""One line in the user's crontab that runs the engine once a minute, for machines where nothing may stay up.

The line is marked as ours; every other line of the crontab stays as it is. What was written is
read back, because a crontab program may fail without saying so.
"""

import shlex
import shutil
import subprocess
from collections.abc import Sequence

from taskhub.core.errors import Unavailable

MARK = "# taskhub: run_engine --once"
SECONDS = 30


class CrontabTrouble(Unavailable):
    """The crontab cannot be read or written, or does not hold what was written."""

    code = "crontab_trouble"


def line(command: Sequence[str], environment: dict[str, str]) -> str:
    """The line for this command, at each minute.

    Args:
        environment: variables it needs; cron gives it next to none.
    """
    words = [f"{name}={shlex.quote(value)}" for name, value in sorted(environment.items())]
    text = " ".join(["env", *words, *map(shlex.quote, command), "run_engine", "--once"])
    if "\n" in text:
        raise CrontabTrouble(
            "a crontab holds no line breaks, but the command or the data folder has one in its name"
        )
    # To cron a bare percent sign is a line break.
    return f"* * * * * {text.replace('%', chr(92) + '%')} >/dev/null 2>&1 {MARK}"


def ours() -> list[str]:
    """The lines that are there and bear our mark."""
    return [text for text in _read() if text.rstrip().endswith(MARK)]


def install(wanted: str) -> bool:
    """Have exactly this one line of ours; True if the crontab had to be written.

    Raises:
        CrontabTrouble
    """
    lines = _read()
    if [text for text in lines if text.rstrip().endswith(MARK)] == [wanted]:
        return False
    _write([text for text in lines if not text.rstrip().endswith(MARK)] + [wanted])
    return True


def remove() -> bool:
    """Have no line of ours; True if there was one.

    Raises:
        CrontabTrouble
    """
    lines = _read()
    kept = [text for text in lines if not text.rstrip().endswith(MARK)]
    if kept == lines:
        return False
    _write(kept)
    return True


def _program() -> str:
    found = shutil.which("crontab")
    if found is None:
        raise CrontabTrouble(
            "expected the program crontab in PATH, got none: install cron, or run `taskhub up`"
        )
    return found


def _read() -> list[str]:
    done = _run([_program(), "-l"], "")
    if done.returncode:
        if "no crontab" in done.stderr.lower():
            return []
        raise CrontabTrouble(
            f"crontab -l failed with exit code {done.returncode}: {done.stderr.strip()[:300]}"
        )
    return done.stdout.splitlines()


def _write(lines: list[str]) -> None:
    done = _run([_program(), "-"], "".join(f"{text}\n" for text in lines))
    if done.returncode:
        raise CrontabTrouble(
            f"crontab refused it with exit code {done.returncode}: {done.stderr.strip()[:300]}"
        )
    found = _read()
    if found != lines:
        raise CrontabTrouble(
            f"crontab said that it wrote {len(lines)} lines, but it holds {len(found)} that are not the same"
        )


def _run(argv: list[str], given: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(argv, input=given, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise CrontabTrouble(f"crontab cannot be run: {exc}") from exc
