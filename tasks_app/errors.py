"""What tasks_app raises on purpose; the codes are part of the API."""

from taskhub.core.errors import TaskhubError


class TaskError(TaskhubError):
    """Base of what tasks_app raises on purpose."""

    code = "task_error"


class TaskNotFound(TaskError):
    code = "task_not_found"
    status = 404


class TaskDeleted(TaskError):
    """It was deleted by hand; only restoring it is possible."""

    code = "task_deleted"
    status = 409


class TaskNotDeleted(TaskError):
    """There is nothing to restore: it is there."""

    code = "task_not_deleted"
    status = 409


class BadSchedule(TaskError):
    """The text is no cron expression."""

    code = "bad_schedule"


class NeverFires(BadSchedule):
    """A well-formed expression that no date ever meets."""

    code = "never_fires"


class UnknownTimezone(TaskError):
    code = "unknown_timezone"


class BadTask(TaskError):
    """What somebody wants a task to be is not what a task can be; `fields` says where."""

    code = "bad_task"


class TaskExists(TaskError):
    """There is a task of that name in that app."""

    code = "task_exists"
    status = 409


class DefinedByFile(TaskError):
    """A task out of a file can be overridden only in some fields; the others are the file's."""

    code = "defined_by_file"
    status = 409


class NoDefinition(TaskError):
    """The task's file does not define it now: it is broken, or the task has left it."""

    code = "no_definition"
    status = 409


class TaskHasOpenJobs(TaskError):
    """A custom task is removed with its due times only once nothing of it waits or runs."""

    code = "task_has_open_jobs"
    status = 409
