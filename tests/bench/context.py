"""What a measure gets: where to work, how often, how much."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .processes import Processes
from .systems import Celery, HueyRedis, HueySqlite, System, Taskhub
from .taskhub_side import TaskhubSide


@dataclass(frozen=True)
class Sizes:
    """How much of everything; `TINY` is for the tests of the bench itself."""

    drain_jobs: int = 10_000
    live_jobs: int = 10_000
    latency_jobs: int = 200
    latency_pace: float = 0.05
    insert_jobs: int = 60_000
    insert_seconds: float = 8.0
    shell_jobs: int = 2_000
    print_bytes: int = 100_000_000
    print_jobs: int = 10
    long_lines: int = 10_000_000
    far_line: int = 1_000_000
    rest_settle: float = 15.0
    rest_seconds: float = 30.0
    list_jobs: int = 100_000
    list_executions: int = 1_000_000
    list_requests: int = 20
    page_tasks: int = 1_000
    live_sockets: int = 60
    live_steps: int = 40
    live_seconds: float = 15.0
    due_tasks: int = 10_000
    idle_tasks: int = 100_000
    idle_ticks: int = 200
    punctual_tasks: int = 1_000
    punctual_pace: float = 0.01
    task_files: int = 1_000
    previews: int = 400


FULL = Sizes()
QUICK = Sizes(
    drain_jobs=2_000, live_jobs=1_000, latency_jobs=60, insert_jobs=15_000, insert_seconds=3.0,
    shell_jobs=300, print_jobs=1, rest_settle=5.0, rest_seconds=10.0, list_requests=5, punctual_tasks=300,
    live_steps=10, live_seconds=8.0,
)  # fmt: skip
TINY = Sizes(
    drain_jobs=50, live_jobs=50, latency_jobs=5, insert_jobs=500, insert_seconds=0.5, shell_jobs=20,
    print_bytes=2_000_000, print_jobs=1, long_lines=30_000, far_line=20_000, rest_settle=0.5,
    rest_seconds=1.0, list_jobs=500, list_executions=2_000, list_requests=2, page_tasks=30,
    due_tasks=50, idle_tasks=100, idle_ticks=5, punctual_tasks=10,
    task_files=12, previews=16, live_sockets=3, live_steps=3, live_seconds=1.0,
)  # fmt: skip


@dataclass
class Bench:
    processes: Processes
    folder: Path
    side: TaskhubSide
    runs: int
    sizes: Sizes
    say: Callable[[str], None] = print
    only: frozenset[str] = frozenset()

    def systems(self, *names: str) -> list[System]:
        """The systems of these names, Taskhub first, in the order given; `only` leaves some out."""
        makers: dict[str, Callable[[], System]] = {
            "Taskhub": lambda: Taskhub(self.side),
            "Celery": lambda: Celery(self.processes, self.folder),
            "Huey on Redis": lambda: HueyRedis(self.processes, self.folder),
            "Huey on SQLite": lambda: HueySqlite(self.processes, self.folder),
        }
        return [makers[name]() for name in names if not self.only or name in self.only]
