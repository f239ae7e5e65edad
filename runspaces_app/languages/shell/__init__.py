"""Shell: the host's `sh`, or the POSIX-like shell that the first line of the script names."""

import os
import re
import shutil

from .. import checking
from ..base import CheckFailed, Language

_PRELUDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prelude.sh")

# Reads the prelude, drops its path from the arguments, then reads the script. Being read by `.`, the
# script keeps its own name as $0 and its own line numbers in messages.
_RUN = '. "$1"; shift; . "$0"'

# Shells that understand the prelude; any other is for the language "executable".
_SHELLS = ("sh", "dash", "bash", "ksh", "mksh")
_SHEBANG = re.compile(r"#!\s*(?:/\S*/)?(?:env\s+)?(\w+)(?:\s+(-[aefhmuvxC]+))?\s*(?:\n|$)")
_PLACE = re.compile(r"^\S*?: (?:line )?(\d+): (?:\S+: (?=Syntax error))?")


class Shell(Language):
    name = "shell"
    label = "Shell"
    suffix = ".sh"
    checked_at_create = True
    programs = ("sh",)

    def version(self) -> str | None:
        path = self.interpreter()
        return os.path.basename(os.path.realpath(path)) if path else None

    def argv(self, script: str) -> list[str]:
        try:
            with open(script, "rb") as file:
                first = file.readline(256).decode("latin-1")
        except OSError:
            first = ""  # the shell itself will say what is wrong with the file
        return [*self._shell(first), "-c", _RUN, os.path.abspath(script), _PRELUDE]

    def check(self, code: str) -> None:
        checked = checking.run([*self._shell(code[:256]), "-n"], code)
        if checked.status == 0:
            return
        if checked.status < 0:
            raise CheckFailed(f"the shell crashed on it (signal {-checked.status})")
        first = checked.stderr.strip().partition("\n")[0]
        place = _PLACE.match(first)
        message = first[place.end() :] if place else first
        raise CheckFailed(message[:500] or "the shell refused it", int(place[1]) if place else None)

    def _shell(self, first_line: str) -> list[str]:
        """The shell to start and the options that the script's first line gives it."""
        named = _SHEBANG.match(first_line)
        asked = shutil.which(named[1]) if named and named[1] in _SHELLS else None
        if named and asked:
            return [asked, named[2]] if named[2] else [asked]
        return [self.interpreter() or "/bin/sh"]
