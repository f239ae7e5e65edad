"""The base of every error raised on purpose, and the kinds all parts share.

`code` is stable and part of the API; the text says what was expected and what came.
"""


class TaskhubError(Exception):
    """Something the caller can be told.

    Attributes:
        code: stable word for programs.
        status: HTTP status it is answered with.
        fields: input field → what is wrong with it.
        retry_after: seconds after which trying again makes sense; None if it does not.
    """

    code = "error"
    status = 400

    def __init__(
        self, message: str, *, fields: dict[str, str] | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})
        self.retry_after = retry_after


class BadInput(TaskhubError):
    """What was given cannot be what it should be."""

    code = "bad_input"


class NotSignedIn(TaskhubError):
    code = "not_signed_in"
    status = 401


class Forbidden(TaskhubError):
    """The caller is known, and may not do this."""

    code = "forbidden"
    status = 403


class NotFound(TaskhubError):
    """No such object, or none the caller may know of."""

    code = "not_found"
    status = 404


class Conflict(TaskhubError):
    """The present state does not allow it."""

    code = "conflict"
    status = 409


class TooLarge(TaskhubError):
    code = "too_large"
    status = 413


class Locked(TaskhubError):
    code = "locked"
    status = 423


class TooMany(TaskhubError):
    code = "too_many"
    status = 429


class Unavailable(TaskhubError):
    """Something we need does not answer at the moment."""

    code = "unavailable"
    status = 503


class NoSpace(TaskhubError):
    """The disk is full."""

    code = "no_space"
    status = 507
