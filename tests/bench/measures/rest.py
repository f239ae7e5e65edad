"""What Taskhub takes while nothing happens: processor and memory of all its processes."""

import subprocess
import time

import psutil

from tests.bench.context import Bench
from tests.bench.figures import Check, Row, median, number

CPU_PERCENT, PSS_MB = 1.0, 240.0


def measure(bench: Bench) -> list[Row]:
    """Web, engine, fork server, writer and two lean runspaces; `up`, which only watches, is told apart."""
    runs: dict[str, list[float]] = {}
    by_process: dict[str, float] = {}
    for run in range(bench.runs):
        bench.side.fresh()
        try:
            up = bench.side.start_up()
            time.sleep(bench.sizes.rest_settle)
            figures, by_process = _watch(up, bench.sizes.rest_seconds)
        finally:
            bench.side.stop_all()
        for name, value in figures.items():
            runs.setdefault(name, []).append(value)
        bench.say(f"  run {run + 1}: " + ", ".join(f"{k} {number(v)}" for k, v in figures.items()))
        for system in bench.systems("Celery"):
            try:
                system.start("noop")
                time.sleep(bench.sizes.rest_settle / 3)
                peer, _ = _watch(system.workers, bench.sizes.rest_seconds)
            finally:
                system.stop()
            runs.setdefault("Celery CPU %", []).append(peer["CPU %"] + peer["CPU % of the first"])
            runs.setdefault("Celery MB", []).append(peer["MB"] + peer["MB of the first"])
    cpu, memory, up_cpu, up_memory = (
        median(runs[name]) for name in ("CPU %", "MB", "CPU % of the first", "MB of the first")
    )
    parts = ", ".join(f"{name} {size:.0f}" for name, size in by_process.items())
    peers = (
        f"Celery (no web) {number(median(runs['Celery CPU %']))} %, {number(median(runs['Celery MB']))} MB"
        if "Celery MB" in runs
        else ""
    )
    return [
        Row(
            measure="rest: web + engine + 2 lean runspaces, with their writer and fork server",
            goal=f"≤ {CPU_PERCENT:g} % of a core, ≤ {PSS_MB:g} MB (PSS)",
            taskhub=(
                f"{number(cpu)} %, {number(memory)} MB; "
                f"`up` itself {number(up_cpu)} %, {number(up_memory)} MB ({parts})"
            ),
            peers=peers,
            checks=[
                Check("% of a core", cpu, CPU_PERCENT, at_least=False),
                Check("MB", memory, PSS_MB, at_least=False),
            ],
            runs=runs,
        )
    ]


def _watch(first: subprocess.Popen[bytes], seconds: float) -> tuple[dict[str, float], dict[str, float]]:
    """Processor share and memory of a tree, its first process apart; and memory in MB by title."""
    root = psutil.Process(first.pid)
    tree = [root, *root.children(recursive=True)]
    before = {one.pid: _spent(one) for one in tree}
    begin = time.monotonic()
    time.sleep(seconds)
    span = time.monotonic() - begin
    share = {one.pid: (_spent(one) - before[one.pid]) / span * 100 for one in tree}
    memory = {one.pid: one.memory_full_info().pss / 1e6 for one in tree}
    titles = {one.pid: _title(one) for one in tree}
    figures = {
        "CPU %": sum(value for pid, value in share.items() if pid != root.pid),
        "MB": sum(value for pid, value in memory.items() if pid != root.pid),
        "CPU % of the first": share[root.pid],
        "MB of the first": memory[root.pid],
    }
    by_title: dict[str, float] = {}
    for pid, size in memory.items():
        by_title[titles[pid]] = by_title.get(titles[pid], 0.0) + size
    return figures, by_title


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _title(process: psutil.Process) -> str:
    words = process.cmdline()
    if len(words) == 1 or words[0].startswith("taskhub"):
        return " ".join(words).strip()
    return next((word.rsplit("/", 1)[-1] for word in words[1:] if not word.startswith("-")), process.name())
