from uuid import UUID

import pytest

from runspaces_app.worker.output_folder import folder
from runspaces_app.writing.output import Output

JOB = UUID("019a0000-0000-7000-8000-000000000001")


class Written:
    """An output written in this process, in a data folder of its own."""

    def __init__(self, home, cap=-1, attempt=1):
        self.job = JOB
        self.attempt = attempt
        self.path = folder(home / "output", JOB, attempt)
        self.output = Output(self.path, cap)
        self.clock = 1_700_000_000_000_000

    def write(self, data, stream=1, after=1000):
        self.clock += after
        self.output.append(stream, bytearray(data), len(data), self.clock)

    def kill(self):
        """Let go of the files as a killed writer does; harmless after `finish`."""
        if self.output._segment is not None:
            self.output._segment.close()

    def finish(self):
        self.output.finish(self.clock)


@pytest.fixture
def written(home):
    """Call it (with `cap=`) for an output to write to."""
    made = []

    def make(**more):
        made.append(Written(home, **more))
        return made[-1]

    yield make
    for one in made:
        one.kill()
