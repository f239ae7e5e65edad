"""The other end of `processes.Client`: a loop that reads commands and calls functions.

Standard library only, because the peers' helpers use it too.
"""

import json
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

Command = Callable[..., dict[str, Any]]
POLL_SECONDS = 0.005


def serve(commands: dict[str, Command]) -> None:
    """Answer one command a line until stdin ends. stdout belongs to the answers alone."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        do = request.pop("do")
        try:
            answer = {} if do == "hello" else commands[do](**request)
        except Exception as exc:
            traceback.print_exc()
            answer = {"error": f"{type(exc).__name__}: {exc}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def wait_until_finished(finished: Callable[[], int], count: int, seconds: float) -> dict[str, Any]:
    """Poll until `count` jobs have their result stored; `at` is when that was seen (monotonic seconds)."""
    until = time.monotonic() + seconds
    while True:
        seen = finished()
        now = time.monotonic()
        if seen >= count:
            return {"at": now, "finished": seen}
        if now > until:
            raise TimeoutError(f"{seen} of {count} finished after {seconds:g} s")
        time.sleep(POLL_SECONDS)


def produce(enqueue: Callable[[int], object], count: int, pace: float) -> dict[str, Any]:
    """Call `enqueue(n)` for each n, one after the other, one each `pace` seconds (0: without pause).

    Returns:
        `asked` and `returned`: monotonic nanoseconds before and after each call.
    """
    asked, returned = [], []
    begin = time.monotonic()
    for n in range(count):
        if pace:
            time.sleep(max(0.0, begin + n * pace - time.monotonic()))
        asked.append(time.monotonic_ns())
        enqueue(n)
        returned.append(time.monotonic_ns())
    return {"asked": asked, "returned": returned}
