"""What Taskhub has to know of a language."""

import os
import shutil
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


_programs: dict[tuple[str, str], str] = {}


def find_program(name: str) -> str | None:
    """Where PATH has this program, None if nowhere.

    Asked for every job: a place found before is only looked at again, the whole PATH is searched
    when it is gone.
    """
    path = os.environ.get("PATH", os.defpath)
    known = _programs.get((name, path))
    if known is not None and os.access(known, os.X_OK):
        return known
    found = shutil.which(name)
    if found is not None:
        _programs[name, path] = found
    return found


class Language(ABC):
    """How source text of one language is checked and started.

    Attributes:
        name: what a job's `language` says.
        suffix: of the file the text is written to, with its dot.
        in_process: the runspace runs the text itself; `argv` is not used.
        checked_at_create: a job whose text fails `check` is refused.
        programs: names looked for in PATH, the first found is the interpreter.
    """

    name: str
    label: str
    suffix: str
    in_process = False
    checked_at_create = False
    programs: tuple[str, ...] = ()

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
