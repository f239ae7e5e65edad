"""Shell: the host's `sh`, or the POSIX-like shell that the first line of the script names."""

import os
import re

from .. import checking
from ..base import CheckFailed, Language, find_program

_START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "start.sh")

# Reads the prelude, drops the arguments, then reads the script. Being read by `.`, the script keeps
# its own name as $0 and its own line numbers in messages.
_RUN = '. "$1"; shift $#; . "$0"'

# The first lines that start.sh follows: shells that understand the prelude, with at most one word of
# options. Any other program is for the language "executable".
_SHELLS = ("sh", "dash", "bash", "ksh", "mksh")
_SHEBANG = re.compile(r"#!\s*(?:/\S*/)?(?:env\s+)?(\w+)(?:\s+-[aefhmuvxC]+)?\s*(?:\n|$)")
_PLACE = re.compile(r"^\S*?: (?:line )?(\d+): (?:\S+: (?=Syntax error))?")


class Shell(Language):
    name = "shell"
    label = "Shell"
    suffix = ".sh"
    checked_at_create = True
    install = "part of every Unix"
    snippet = """for step in 1 2 3 4; do
    progress $((step * 25)) "Step $step"
    echo "step $step"
    sleep 0.5
done
result --json '{"steps": 4}'
"""
    programs = ("sh",)

    def version(self) -> str | None:
        path = self.interpreter()
        return os.path.basename(os.path.realpath(path)) if path else None

    def argv(self, script: str) -> list[str]:
        return [self.interpreter() or "/bin/sh", "-c", _RUN, script, _START]

    def check(self, code: str) -> None:
        checked = checking.run([self._shell(code[:256]), "-n"], code)
        if checked.status == 0:
            return
        if checked.status < 0:
            raise CheckFailed(f"the shell crashed on it (signal {-checked.status})")
        first = checked.stderr.strip().partition("\n")[0]
        place = _PLACE.match(first)
        message = first[place.end() :] if place else first
        raise CheckFailed(message[:500] or "the shell refused it", int(place[1]) if place else None)

    def _shell(self, first_line: str) -> str:
        named = _SHEBANG.match(first_line)
        asked = find_program(named[1]) if named and named[1] in _SHELLS[1:] else None
        return asked or self.interpreter() or "/bin/sh"
