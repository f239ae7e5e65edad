"""One line in the user's crontab that runs the engine once a minute, for machines where nothing may stay up.

The line is marked as ours, and as that of one data folder; every other byte of the crontab stays as
it is. What was written is read back, because a crontab program may fail without saying so. The
package django-crontab would do neither: it says that it has added a line where there is no crontab
program, and rewrites what it does not know.
"""

import hashlib
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from taskhub.core.errors import Unavailable

SECONDS = 30


class CrontabTrouble(Unavailable):
    """The crontab cannot be read or written, or does not hold what was written."""

    code = "crontab_trouble"


def mark(home: Path) -> str:
    """What the line for this data folder ends with."""
    return f"# taskhub {hashlib.sha256(str(home).encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"


def line(command: Sequence[str], home: Path) -> str:
    """The line that has this command run the engine of a data folder at each minute.

    What it says goes to a file of the data folder, which holds the last run alone: nothing is mailed,
    nothing grows, and a run that fails can be read of.

    Raises:
        CrontabTrouble: it cannot be said in one line.
    """
    words = ["env", f"TASKHUB_HOME={home}", *command, "run_engine", "--once"]
    text = f"{shlex.join(words)} >{shlex.quote(str(log(home)))} 2>&1"
    if "\n" in text:
        raise CrontabTrouble(
            "a crontab holds no line breaks, but the command or the data folder has one in its name"
        )
    # To cron a bare percent sign is a line break.
    return f"* * * * * {text.replace('%', chr(92) + '%')} {mark(home)}"


def log(home: Path) -> Path:
    """Where the last run says what it did."""
    return home / "logs" / "cron.log"


def ours(home: Path) -> list[str]:
    """The lines that are there for this data folder.

    Raises:
        CrontabTrouble
    """
    return [_text(one) for one in _read() if _is_ours(one, home)]


def install(wanted: str, home: Path) -> bool:
    """Have exactly this one line of ours; True if the crontab had to be written.

    Raises:
        CrontabTrouble
    """
    lines = _read()
    new = wanted.encode("utf-8", "surrogateescape")
    if [one for one in lines if _is_ours(one, home)] == [new]:
        return False
    _write([one for one in lines if not _is_ours(one, home)] + [new])
    return True


def remove(home: Path) -> bool:
    """Have no line of ours; True if there was one.

    Raises:
        CrontabTrouble
    """
    lines = _read()
    kept = [one for one in lines if not _is_ours(one, home)]
    if kept == lines:
        return False
    _write(kept)
    return True


def _is_ours(one: bytes, home: Path) -> bool:
    return one.rstrip().endswith(mark(home).encode())


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _program() -> str:
    found = shutil.which("crontab")
    if found is None:
        raise CrontabTrouble(
            "expected the program crontab in PATH, got none: install cron, or run `taskhub up`"
        )
    return found


def _read() -> list[bytes]:
    done = _run([_program(), "-l"], b"")
    if done.returncode:
        if b"no crontab" in done.stderr.lower():
            return []
        raise CrontabTrouble(f"crontab -l failed with exit code {done.returncode}: {_said(done)}")
    # Bytes, and line feeds alone: lines of others may be in any encoding, and keep what they hold.
    return done.stdout.removesuffix(b"\n").split(b"\n") if done.stdout else []


def _write(lines: list[bytes]) -> None:
    done = _run([_program(), "-"], b"".join(one + b"\n" for one in lines))
    if done.returncode:
        raise CrontabTrouble(f"crontab refused it with exit code {done.returncode}: {_said(done)}")
    found = _read()
    if found != lines:
        raise CrontabTrouble(
            f"crontab did not complain, but of {len(lines)} lines written it holds {len(found)}, not the same ones"
        )


def _said(done: "subprocess.CompletedProcess[bytes]") -> str:
    return _text(done.stderr).strip()[:300]


def _run(argv: list[str], given: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(argv, input=given, capture_output=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise CrontabTrouble(f"crontab cannot be run: {exc}") from exc
