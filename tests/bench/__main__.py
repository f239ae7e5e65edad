"""`python -m tests.bench`: measure Taskhub beside its peers and write the table to README.md."""

import argparse
import atexit
import shlex
import shutil
import signal
import sys
import tempfile
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from . import machine, report
from .context import FULL, QUICK, TINY, Bench, Sizes
from .figures import Row
from .measures import MEASURES
from .processes import Processes
from .taskhub_side import TaskhubSide

SIZES: dict[str, Sizes] = {"full": FULL, "quick": QUICK, "tiny": TINY}
SYSTEMS = ("Taskhub", "Celery", "Huey on Redis", "Huey on SQLite")


def _runs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 50:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 to 50, got {text!r}")
    return int(text)


def parser() -> argparse.ArgumentParser:
    parsed = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parsed.add_argument(
        "measures", nargs="*", metavar="measure", help=f"any of: {', '.join(MEASURES)}; none: all"
    )
    parsed.add_argument(
        "--runs", type=_runs, help="runs of each, of which the median counts (5; 1 if not full)"
    )
    parsed.add_argument("--size", choices=SIZES, default="full", help="how much of everything")
    parsed.add_argument(
        "--quick", dest="size", action="store_const", const="quick", help="same as --size quick"
    )
    parsed.add_argument(
        "--only", action="append", choices=SYSTEMS, default=[], help="leave out the other systems"
    )
    parsed.add_argument("--dry", action="store_true", help="print the table, write nothing")
    parsed.add_argument("--to", type=Path, default=report.HERE, help="folder of README.md and results.json")
    return parsed


def main(arguments: Sequence[str]) -> int:
    """Run the measures; 1 if one of them could not be taken. A missed goal is a result, not an error."""
    argv = parser()
    options = argv.parse_args(arguments)
    unknown = [name for name in options.measures if name not in MEASURES]
    if unknown:
        argv.error(f"no such measure: {', '.join(unknown)}; expected any of {', '.join(MEASURES)}")
    names = [name for name in MEASURES if not options.measures or name in options.measures]
    runs = options.runs or (5 if options.size == "full" else 1)
    # A part of it, or a small one, is not what the page is for unless a place for it is named.
    writes = not options.dry and ((options.size == "full" and not options.only) or options.to != report.HERE)
    signal.signal(signal.SIGTERM, _interrupted)
    return _measure(names, runs=runs, sizes=SIZES[options.size], only=frozenset(options.only),
                    command=shlex.join(["python", "-m", "tests.bench", *arguments]),
                    to=options.to if writes else None)  # fmt: skip


def _interrupted(*_: object) -> NoReturn:
    raise KeyboardInterrupt


def _measure(
    names: list[str], *, runs: int, sizes: Sizes, only: frozenset[str], command: str, to: Path | None
) -> int:
    results = report.load(to) if to else {"measures": {}}
    here = machine.describe()
    at = datetime.now(UTC)
    failed = False
    shared = Path(tempfile.mkdtemp(prefix="bench-"))
    atexit.register(shutil.rmtree, shared, ignore_errors=True)
    for name in names:
        state = machine.state()
        print(f"{name}: {state}", flush=True)
        rows = _guarded(name, shared, runs=runs, sizes=sizes, only=only)
        failed = failed or any(row.error for row in rows)
        report.record(results, name, rows, at=at, command=command, runs=runs, machine=here, state=state)
        for row in rows:
            print(f"  = {row.error or row.taskhub}; {row.peers}; {row.verdict()}", flush=True)
        if to:
            # After each one: an hour's work is not lost to a Ctrl-C in the last minute.
            report.write(results, list(MEASURES), folder=to)
    return int(failed)


def _guarded(name: str, shared: Path, *, runs: int, sizes: Sizes, only: frozenset[str]) -> list[Row]:
    """The rows of one measure, or one row that says what went wrong; its processes have ended."""
    folder = shared / name
    try:
        with Processes(folder / "logs") as processes:
            side = TaskhubSide(processes, folder, template=shared / "template")
            bench = Bench(processes=processes, folder=folder, side=side, runs=runs, sizes=sizes, only=only,
                          say=lambda line: print(line, flush=True))  # fmt: skip
            try:
                return MEASURES[name](bench)
            except Exception as exc:
                traceback.print_exc()
                return [Row(measure=name, goal="", error=f"{type(exc).__name__}: {exc}")]
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
