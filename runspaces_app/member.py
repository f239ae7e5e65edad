"""One runspace as its engine knows it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .process import RunspaceProcess
from .protocol import Output
from .recycling import PoolSettings

OPENING, READY, CLOSING, ENDED = "opening", "ready", "closing", "ended"


@dataclass(eq=False)
class Member:
    """One runspace under care.

    Attributes:
        held: handles of the jobs it was given and has not answered for, oldest first.
        affinity: whose jobs it serves; "" until its first.
        last_seconds: how long its latest job ran; infinite before there was one.
        worn: why it is to be recycled as soon as it holds no job; "" if it is good for more.
        lost: where the work folders of the jobs that went down with it are now.
    """

    process: RunspaceProcess
    pool: PoolSettings
    number: int
    opened: float
    phase: str = OPENING
    held: list[Any] = field(default_factory=list)
    affinity: str = ""
    stamp: str = ""
    jobs_run: int = 0
    last_seconds: float = math.inf
    worn: str = ""
    free_since: float = 0.0
    memory: int = 0
    threads: int = 0
    handles: int = 0
    close_reason: str = ""
    broken: bool = False
    close_by: float | None = None
    collected_hour: int = -1
    changed: bool = False
    job: str | None = None
    output: Output | None = None
    survivors: list[int] = field(default_factory=list)
    settling: set[str] = field(default_factory=set)
    lost: list[Path] = field(default_factory=list)
    settle_by: float = 0.0

    def learn_output(self, settled: Mapping[str, Any]) -> None:
        """What the writer says of the output of the job it went down with."""
        if settled.get("bytes"):
            self.job = settled.get("job")
            self.output = Output(
                settled["bytes"], settled["lines"], settled["dropped"], settled.get("preview", "")
            )

    @property
    def id(self) -> int:
        return self.process.runspace
