"""Any executable: a script that names its interpreter in its first line."""

import os
import shutil

from ..base import CheckFailed, Language


class Executable(Language):
    name = "executable"
    label = "Executable"
    suffix = ""
    checked_at_create = True
    install = "whatever its first line names"
    snippet = r"""#!/usr/bin/perl
open(my $taskhub, ">&=", 3);
print "step 1\n";
syswrite($taskhub, qq({"progress": 50, "message": "Half way"}\n));
syswrite($taskhub, qq({"result": {"steps": 1}}\n));
"""

    def interpreter(self) -> str | None:
        """The shebang: always there, each script names its own program behind it (see `check`)."""
        return "#!"

    def argv(self, script: str) -> list[str]:
        return [script]

    def check(self, code: str) -> None:
        """See that the first line names a program of this host; the rest is that program's affair."""
        words = _shebang(code)
        program = words[0]
        if os.path.basename(program) == "env":
            named = next((word for word in words[1:] if not word.startswith("-") and "=" not in word), None)
            if named and not shutil.which(named):
                raise CheckFailed(f"expected a program of this host behind env, found no {named!r:.200}", 1)
        if not os.path.isfile(program) or not os.access(program, os.X_OK):
            raise CheckFailed(f"expected a program of this host behind #!, found no {program!r:.200}", 1)


def _shebang(code: str) -> list[str]:
    first = code.partition("\n")[0]
    words = first[2:].split() if first.startswith("#!") else []
    if not words or not words[0].startswith("/"):
        raise CheckFailed(f"expected #! and the absolute path of a program, got {first!r:.200}", 1)
    if first.endswith("\r"):
        raise CheckFailed("expected lines that end in a line feed alone, got carriage returns", 1)
    return words
