"""What runspaces_app raises on purpose."""

from taskhub.core.errors import TaskhubError


class RunspaceError(TaskhubError):
    """Base of what runspaces_app raises on purpose."""

    code = "runspace_error"


class UnknownLanguage(RunspaceError):
    """No language of that name is registered."""

    code = "unknown_language"


class LanguageNotInstalled(RunspaceError):
    """The language is known, its interpreter is not on this machine."""

    code = "language_not_installed"


class RunspaceNotFound(RunspaceError):
    code = "runspace_not_found"
    status = 404


class RunspaceClosed(RunspaceError):
    """The runspace has ended already."""

    code = "runspace_closed"
    status = 409
