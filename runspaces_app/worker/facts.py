"""What a script finds in its environment beside the task's own variables. Standard library only."""

import time
from typing import Any


def environment(frame: dict[str, Any], *, temporary: str, started_at: float) -> dict[str, str]:
    """The task's own variables, and the facts of this run, which nobody's variable replaces.

    Args:
        temporary: the folder for temporary files.
        started_at: seconds since the epoch.
    """
    facts = {
        "TMPDIR": temporary,
        "TASKHUB_JOB_ID": frame["id"],
        "TASKHUB_ATTEMPT": str(frame["attempt"]),
        "TASKHUB_FENCE": str(frame["fence"]),
        "TASKHUB_TRIGGER": frame["trigger"],
        "TASKHUB_STARTED_AT": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(started_at)),
    }
    for name, value in (("TASK", frame["task"]), ("APP", frame["app"]), ("DUE_AT", frame["due_at"])):
        if value:
            facts[f"TASKHUB_{name}"] = value
    return {**frame["environment"], **facts}
