"""Reports the files of this app that are older than the parameter `days`."""

import time
from pathlib import Path

days = context.parameters.get("days", 30)
before = time.time() - days * 86_400

old = sorted(str(path) for path in Path(".").rglob("*") if path.is_file() and path.stat().st_mtime < before)
for path in old:
    print(path)

{"days": days, "old_files": len(old)}
