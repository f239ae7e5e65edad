"""PowerShell: pwsh, version 7."""

import json
import os
import shutil
import tempfile

from .. import base, checking
from ..base import QUIET, CheckFailed, Language

_HERE = os.path.dirname(os.path.abspath(__file__))
_START, _CHECK = os.path.join(_HERE, "start.ps1"), os.path.join(_HERE, "check.ps1")
_LIMITS = checking.Limits(seconds=10, address_space=None, data=2 * 1024**3, file_size=16 * 1024**2)


class PowerShell(Language):
    name = "powershell"
    label = "PowerShell"
    suffix = ".ps1"
    programs = ("pwsh",)
    install = "Microsoft's package powershell, or dotnet tool install --global PowerShell"
    snippet = """$steps = 4
foreach ($step in 1..$steps) {
    progress ($step * 100 / $steps) "Step $step"
    Write-Output "step $step"
    Start-Sleep -Milliseconds 500
}
result @{ steps = $steps }
"""

    def version(self) -> str | None:
        path = self.interpreter()
        said = base.first_line(path, "--version") if path else None
        return said.removeprefix("PowerShell ") if said else None

    def argv(self, script: str) -> list[str]:
        quiet = [f"{name}={value}" for name, value in QUIET.items() if name.startswith("POWERSHELL")]
        return ["/usr/bin/env", *quiet, *self._program(), _START, script]

    def check(self, code: str) -> None:
        if self.interpreter() is None:
            raise CheckFailed("expected pwsh on this machine, found none")
        folder = tempfile.mkdtemp(prefix="taskhub-check-")
        try:
            checked = checking.run(
                [*self._program(), _CHECK], code, _LIMITS, folder, TMPDIR=folder, HOME=folder, **QUIET
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        try:
            answer = json.loads(checked.stdout)
        except ValueError:
            raise CheckFailed(f"the parser crashed on it (status {checked.status})") from None
        if answer is not None:
            raise CheckFailed(answer["message"][:500], answer["line"])

    def _program(self) -> list[str]:
        return [self.interpreter() or "pwsh", "-NoLogo", "-NoProfile", "-NonInteractive", "-File"]
