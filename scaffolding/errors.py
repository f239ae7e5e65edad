"""What scaffolding raises on purpose; the codes are part of the API."""

from taskhub.core.errors import TaskhubError


class AppError(TaskhubError):
    """Base of what scaffolding raises on purpose."""

    code = "app_error"


class AppNotFound(AppError):
    code = "app_not_found"
    status = 404


class ScriptMissing(AppError):
    """There is no readable file where a script should be."""

    code = "script_missing"
