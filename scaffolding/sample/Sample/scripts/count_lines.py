"""A long run: `progress` says how far it is, `context` brings the parameters of the task."""

import sysconfig
import time
from pathlib import Path

library = Path(sysconfig.get_path("stdlib"))
files = [path for path in sorted(library.glob("*.py")) + sorted(library.glob("*/*.py")) if path.is_file()]
rest = context.parameters.get("seconds", 30) / max(1, len(files))

lines = 0
for number, path in enumerate(files, start=1):
    lines += path.read_bytes().count(b"\n")
    if number % 25 == 0:
        print(f"{number:5} files, {lines:8} lines, at {path.relative_to(library)}")
    progress.percent_complete = 100 * number / len(files)
    progress.status_message = f"{number} of {len(files)} files"
    time.sleep(rest)

{"files": len(files), "lines": lines}
