"""Task files read from disk, each again only after it changed."""

from pathlib import Path

from runspaces_app.models import Pool

from . import schema
from .problems import Problem
from .schema import Parsed
from .sources import Source, source_of

Mark = tuple[int, ...]

NO_FILE: Mark = ()
OTHER_NAME: Mark = (0,)
LONGEST = 16 * 1024 * 1024
# Made at the first start, and there for good.
_POOLS = frozenset({"default", "django"})

_parsed: dict[tuple[Path, frozenset[str] | None], tuple[Mark, Parsed]] = {}


def mark_of(file: Path) -> Mark:
    """What differs once the file was written again; `NO_FILE` if there is none."""
    try:
        stat = file.stat()
    except OSError:
        return OTHER_NAME if _misnamed(file).exists() else NO_FILE
    return (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_ctime_ns)


def read(source: Source, pools: frozenset[str] | None = None) -> Parsed:
    """The definitions of a source, or what is wrong with its file. No file: no definitions."""
    mark = mark_of(source.file)
    key = (source.file, pools)
    known = _parsed.get(key)
    if known is None or known[0] != mark:
        known = _parsed[key] = (mark, _read(source, pools))
    return known[1]


def problems(app: str) -> list[str]:
    """What is wrong with the task file of an app (blank: of the data folder), a sentence each."""
    source = source_of(app)
    if source is None or not source.enabled:
        return []
    parsed = read(source)
    if any(definition.pool not in _POOLS for definition in parsed.definitions):
        # The database is asked only here: whoever lists apps asks this of each of them.
        parsed = read(source, frozenset(Pool.objects.values_list("name", flat=True)))
    return [str(problem) for problem in parsed.problems]


def _read(source: Source, pools: frozenset[str] | None) -> Parsed:
    name = str(source.file)
    try:
        if source.file.stat().st_size > LONGEST:
            return Parsed([], [Problem(name, 0, "", f"expected at most {LONGEST} bytes")])
        text = source.file.read_text(encoding="utf-8")
    except FileNotFoundError:
        other = _misnamed(source.file)
        if not other.exists():
            return Parsed([], [])
        return Parsed([], [Problem(str(other), 0, "", f"expected the name {source.file.name}")])
    except UnicodeDecodeError as exc:
        line = exc.object[: exc.start].count(b"\n") + 1
        return Parsed([], [Problem(name, line, "", f"expected UTF-8, got byte {exc.object[exc.start]:#04x}")])
    except OSError as exc:
        return Parsed([], [Problem(name, 0, "", f"cannot be read: {exc.strerror}")])
    return schema.parse(text, file=name, pool=source.pool, pools=pools)


def _misnamed(file: Path) -> Path:
    """What many would call it, and would then wait for its tasks."""
    return file.with_suffix(".yml")
