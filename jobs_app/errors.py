"""What jobs_app raises on purpose; the codes are part of the API."""

from taskhub.core.errors import TaskhubError


class JobError(TaskhubError):
    """Base of what jobs_app raises on purpose."""

    code = "job_error"


class JobNotFound(JobError):
    """No such job, or none that the caller may see."""

    code = "job_not_found"
    status = 404


class JobEnded(JobError):
    """The job has ended, so there is nothing to stop."""

    code = "job_ended"
    status = 409


class JobStillOpen(JobError):
    """The job or one of its descendants has not ended, so it cannot be removed."""

    code = "job_still_open"
    status = 409


class NotCancellable(JobError):
    """The job was made as one that cannot be cancelled; it keeps running."""

    code = "not_cancellable"
    status = 423


class DuplicateJob(JobError):
    """Another job has this id."""

    code = "duplicate_job"
    status = 409


class UnknownLanguage(JobError):
    code = "unknown_language"


class LanguageNotInstalled(JobError):
    """The language is known, its interpreter is not on this machine."""

    code = "language_not_installed"


class CodeDoesNotCompile(JobError):
    code = "code_does_not_compile"


class UnknownPool(JobError):
    code = "unknown_pool"


class UnknownApp(JobError):
    code = "unknown_app"


class UnknownParent(JobError):
    code = "unknown_parent"


class AppDisabled(JobError):
    """The task's app is switched off."""

    code = "app_disabled"
    status = 409
