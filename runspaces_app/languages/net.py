"""What C# and VB.NET share: a compiler and a runner, by the SDK of .NET or by mono."""

import os
import re
import shutil
import sys
import tempfile
from typing import NamedTuple

from . import base, checking
from .base import QUIET, CheckFailed, Language

_START = os.path.join(os.path.dirname(os.path.abspath(__file__)), "net_start.py")
_LIMITS = {
    # A compiler of .NET is a large program of its own before it has read a line.
    "dotnet": checking.Limits(seconds=30, address_space=None, data=2 * 1024**3, file_size=64 * 1024**2),
    "mono": checking.Limits(seconds=5, address_space=None, data=768 * 1024**2, file_size=16 * 1024**2),
}
_MESSAGE = re.compile(
    r"script\.(?:cs|vb)\((\d+)(?:,\d+)?\)\s*: error \w+: (.*?)(?: \[[^\]]*\])?$", re.MULTILINE
)


class Tools(NamedTuple):
    """A compiler, what runs its programs, and which family they are of."""

    compiler: str
    runner: str
    family: str


class NetLanguage(Language):
    """Adds to what a language is:

    Attributes:
        short: how `net_start.py` calls it.
        compilers: of mono, the first found is used.
    """

    short: str
    compilers: tuple[str, ...]

    def tools(self) -> Tools | None:
        dotnet = base.find_program("dotnet")
        # Runtime and SDK are separate packages; only the SDK compiles.
        if dotnet and os.path.isdir(os.path.join(os.path.dirname(os.path.realpath(dotnet)), "sdk")):
            return Tools(dotnet, dotnet, "dotnet")
        mono = base.find_program("mono")
        compiler = next((path for name in self.compilers if (path := base.find_program(name))), None)
        return Tools(compiler, mono, "mono") if compiler and mono else None

    def interpreter(self) -> str | None:
        tools = self.tools()
        return tools.compiler if tools else None

    def version(self) -> str | None:
        tools = self.tools()
        said = base.first_line(tools.compiler, "--version") if tools else None
        if said is None or tools is None:
            return None
        return f"dotnet {said}" if tools.family == "dotnet" else f"mono {said.rpartition(' ')[2]}"

    def argv(self, script: str) -> list[str]:
        tools = self.tools() or Tools(self.compilers[0], "mono", "mono")
        return [sys.executable, "-I", "-S", _START, self.short, tools.compiler, tools.runner, script]

    def check(self, code: str) -> None:
        tools = self.tools()
        if tools is None:
            raise CheckFailed(f"expected a compiler of {self.label} on this machine, found none")
        argv = [sys.executable, "-I", "-S", _START, "--check", self.short, tools.compiler, tools.runner, "-"]
        folder = tempfile.mkdtemp(prefix="taskhub-check-")
        try:
            checked = checking.run(
                argv, code, _LIMITS[tools.family], folder, TMPDIR=folder, HOME=folder, **QUIET
            )
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if checked.status == 0:
            return
        found = _MESSAGE.search(checked.stderr)
        if found:
            # What is missing at the end of the text is found missing in our lines behind it.
            raise CheckFailed(found[2][:500], min(int(found[1]), code.count("\n") + 1))
        raise CheckFailed(checked.stderr.strip()[:500] or f"the compiler crashed (status {checked.status})")
