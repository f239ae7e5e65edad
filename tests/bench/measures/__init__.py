"""The measures by name, in the order of the table."""

from collections.abc import Callable

from tests.bench.context import Bench
from tests.bench.figures import Row

from . import beside, latency, lists, output, pages, paint, rates, rest, tasks

Measure = Callable[[Bench], list[Row]]

MEASURES: dict[str, Measure] = {
    "drain": rates.drain,
    "live": rates.live,
    "latency": latency.measure,
    "insert": beside.measure,
    "shell": rates.shell,
    "output": output.prints,
    "line": output.far_line,
    "rest": rest.measure,
    "lists": lists.measure,
    "paint": paint.measure,
    "pages": pages.measure,
    "due": tasks.due,
    "idle": tasks.idle,
    "punctual": tasks.punctual,
    "files": tasks.files,
    "preview": tasks.previews,
}
