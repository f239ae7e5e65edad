"""What Taskhub has to know of a language."""

import os
import shutil
import subprocess
import time
from abc import ABC, abstractmethod

from ..errors import RunspaceError


class CheckFailed(RunspaceError):
    """The source text can not run: it does not compile, or the check crashed or took too long.

    Attributes:
        message: one sentence for the author, without the line number.
        line: first line in question, counted from 1; None if none is known.
    """

    code = "check_failed"

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"line {line}: {message}" if line else message, fields={"code": message})
        self.message = message
        self.line = line


# A program that is installed, replaced or removed is noticed after so long.
FOUND_SECONDS, VERSION_SECONDS = 3.0, 10.0

_programs: dict[tuple[str, str], tuple[float, str | None]] = {}
_versions: dict[tuple[str, ...], str | None] = {}


def find_program(name: str) -> str | None:
    """Where PATH has this program, None if nowhere.

    Asked for every job, so the answer, no as well as yes, is remembered for some seconds.
    """
    path = os.environ.get("PATH", os.defpath)
    now = time.monotonic()
    known = _programs.get((name, path))
    if known is not None and now < known[0]:
        return known[1]
    found = shutil.which(name)
    _programs[name, path] = now + FOUND_SECONDS, found
    return found


def first_line(*argv: str) -> str | None:
    """First line that a program prints when asked for its version; None if it does not tell.

    Asked once for each state of the program's file.
    """
    try:
        facts = os.stat(argv[0])
    except OSError:
        return None
    key = (*argv, str(facts.st_mtime_ns), str(facts.st_size))
    if key not in _versions:
        _versions[key] = _ask(argv)
    return _versions[key]


def _ask(argv: tuple[str, ...]) -> str | None:
    try:
        said = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=VERSION_SECONDS,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": "/nonexistent",
                "LC_ALL": "C.UTF-8",
                **QUIET,
            },
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.decode("utf-8", "replace").strip().partition("\n")[0][:100] or None


# Tools of .NET and PowerShell greet, phone home and look for updates unless told not to.
QUIET = {
    "DOTNET_NOLOGO": "1",
    "DOTNET_CLI_TELEMETRY_OPTOUT": "1",
    "DOTNET_SKIP_FIRST_TIME_EXPERIENCE": "1",
    "POWERSHELL_TELEMETRY_OPTOUT": "1",
    "POWERSHELL_UPDATECHECK": "Off",
}


class Language(ABC):
    """How source text of one language is checked and started.

    Attributes:
        name: what a job's `language` says.
        suffix: of the file the text is written to, with its dot.
        in_process: the runspace runs the text itself; `argv` is not used.
        checked_at_create: a job whose text fails `check` is refused.
        programs: names looked for in PATH, the first found is the interpreter.
        install: how a person gets the interpreter, as a command or a few words.
        snippet: a short script that shows progress, output and result.
    """

    name: str
    label: str
    suffix: str
    in_process = False
    checked_at_create = False
    programs: tuple[str, ...] = ()
    install = ""
    snippet = ""

    def interpreter(self) -> str | None:
        """Path of the program that runs it, None if this host has none."""
        return next((path for program in self.programs if (path := find_program(program))), None)

    def version(self) -> str | None:
        """What the interpreter calls itself, None if it is missing or does not tell."""
        return None

    @abstractmethod
    def argv(self, script: str) -> list[str]:
        """Arguments that run a script with the language's prelude.

        Args:
            script: absolute path of the file that holds the source text, unchanged, so that line
                numbers in messages are those of the author. It need not be there yet, and stands
                in the answer as it was given.

        Descriptor 3 has to be the control channel and stdin /dev/null; both are the caller's to open.
        """

    @abstractmethod
    def check(self, code: str) -> None:
        """Find out whether the text would compile, without running it.

        Raises:
            CheckFailed: it would not, for whatever reason.
        """
