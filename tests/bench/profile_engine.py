"""`python -m tests.bench.profile_engine`: where the time of a drain goes.

First a drain without a profiler: the processor seconds of each process, so that it shows which of them
is the narrow place. Then the same with the engine under cProfile, whose functions are listed; cProfile
makes every call dearer, so its rate means nothing and only the shares count.
"""

import argparse
import pstats
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from .figures import number
from .processes import Processes
from .systems import WAIT_SECONDS, warm_up
from .taskhub_side import TaskhubSide


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.profile_engine", description=__doc__)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--kind", choices=("noop", "shell"), default="noop")
    parser.add_argument("--top", type=int, default=35, help="functions listed")
    parser.add_argument("--sort", choices=("tottime", "cumulative"), default="tottime")
    parser.add_argument("--keep", type=Path, help="keep the profile here, for pstats or a viewer")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="bench-profile-", ignore_cleanup_errors=True) as text:
        folder = Path(text)
        with Processes(folder / "logs") as processes:
            side = TaskhubSide(processes, folder, template=folder / "template")
            _drain(side, options.kind, options.jobs, profile=None)
            path = options.keep or folder / "engine.profile"
            _drain(side, options.kind, options.jobs, profile=path)
            _list(path, options.sort, options.top)
    return 0


def _drain(side: TaskhubSide, kind: str, count: int, *, profile: Path | None) -> None:
    side.fresh()
    try:
        engine = side.start_engine(profile=profile)
        client = side.client()
        warm_up(client, kind, str(side.home / "warm"))
        client.ask("clear")
        tree = psutil.Process(engine.pid)
        before = _spent(tree)
        released = client.ask("queue", kind=kind, count=count)["released"]
        ended = client.ask("wait", count=count, limit=WAIT_SECONDS)["at"]
        span = ended - released
        after = _spent(tree)
        print(f"{'with' if profile else 'without'} profiler: {number(count / span)}/s, {number(span)} s")
        for key, (title, seconds) in after.items():
            used = seconds - before.get(key, ("", 0.0))[1]
            if used > 0.01:
                print(f"  {used:6.2f} s of processor, {used / span * 100:4.0f} %: {title}")
    finally:
        side.stop_all()


def _spent(root: psutil.Process) -> dict[int, tuple[str, float]]:
    spent = {}
    for one in [root, *root.children(recursive=True)]:
        times = one.cpu_times()
        spent[one.pid] = (" ".join(one.cmdline())[:90].strip() or one.name(), times.user + times.system)
    return spent


def _list(path: Path, sort: str, top: int) -> None:
    until = time.monotonic() + 10
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.1)
    stats = pstats.Stats(str(path), stream=sys.stdout)
    stats.strip_dirs().sort_stats(sort).print_stats(top)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
