"""Python: runs inside the runspace."""

import json
import os
import platform
import sys

from .. import checking
from ..base import CheckFailed, Language

_COMPILER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "compile_stdin.py")


class Python(Language):
    name = "python"
    label = "Python"
    suffix = ".py"
    in_process = True
    checked_at_create = True
    install = "part of Taskhub"
    snippet = """for step in progress.range(0, 4):
    print("step", step)
{"steps": 4}
"""

    def interpreter(self) -> str | None:
        return sys.executable

    def version(self) -> str | None:
        return platform.python_version()

    def argv(self, script: str) -> list[str]:
        return [sys.executable, script]

    def check(self, code: str) -> None:
        checked = checking.run([sys.executable, "-I", "-S", "-W", "ignore", _COMPILER], code)
        if checked.status:
            raise CheckFailed(f"the compiler crashed on it (status {checked.status})")
        try:
            answer = json.loads(checked.stdout)
        except ValueError:
            raise CheckFailed("the compiler gave no answer") from None
        if answer is not None:
            raise CheckFailed(f"{answer['type']}: {answer['message']}"[:500], answer["line"])
