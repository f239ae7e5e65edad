"""What tasks_app raises on purpose; the codes are part of the API."""

from taskhub.core.errors import TaskhubError


class TaskError(TaskhubError):
    """Base of what tasks_app raises on purpose."""

    code = "task_error"


class TaskNotFound(TaskError):
    code = "task_not_found"
    status = 404


class BadSchedule(TaskError):
    """The text is no cron expression."""

    code = "bad_schedule"


class NeverFires(BadSchedule):
    """A well-formed expression that no date ever meets."""

    code = "never_fires"


class UnknownTimezone(TaskError):
    code = "unknown_timezone"
