"""The same thing done with many tasks: each by itself, and told what became of all."""

from collections.abc import Callable, Sequence
from datetime import datetime

from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from tasks_app import editing, switching
from tasks_app.errors import BadTask
from tasks_app.models import Task

MOST = 200
RIGHTS = {"enable": "task.switch", "disable": "task.switch", "run": "task.run", "delete": "task.remove"}
_DONE = {"enable": "enabled", "disable": "disabled", "run": "queued", "delete": "deleted"}

# Does the action of this name with a task; False if there was nothing to do.
One = Callable[[str, Task], bool]


def carry_out(do: str, tasks: Sequence[Task], *, one: One) -> str:
    """Do it with each and say how many it was done with, how many needed nothing, and what was refused.

    Raises:
        BadTask: no task is given, or none of them could be done.
    """
    if not tasks:
        raise BadTask("tasks: expected at least one task that is ticked, got none", fields={"tasks": "none"})
    done = idle = 0
    refused: list[str] = []
    for task in tasks:
        try:
            if one(do, task):
                done += 1
            else:
                idle += 1
        except TaskhubError as exc:
            refused.append(f"{task}: {exc}")
    if refused and not done:
        raise BadTask("; ".join(refused[:3]), fields={"tasks": refused[0]})
    parts = [f"{done} {'task is' if done == 1 else 'tasks are'} {_DONE[do]}"] if done or not idle else []
    if idle:
        parts.append(f"{idle} {'was' if idle == 1 else 'were'} so already")
    if refused:
        parts.append(f"{len(refused)} refused ({'; '.join(refused[:3])})")
    return ", ".join(parts) + "."


def switch_or_delete(do: str, task: Task, *, by: Actor, now: datetime) -> bool:
    """Enable, disable, or delete a custom task.

    Raises:
        BadTask: a task out of a file is not deleted among many.
        as `switching.switch` and `editing.delete`.
    """
    if do == "delete":
        if task.source != Task.Source.CUSTOM:
            raise BadTask(
                "id: expected a custom task, got one out of a file", fields={"id": "is said by a file"}
            )
        editing.delete(task.pk, by=by, now=now)
        return True
    wanted = do == "enable"
    if task.enabled == wanted:
        return False
    switching.switch(task.pk, enabled=wanted, by=by, now=now)
    return True
