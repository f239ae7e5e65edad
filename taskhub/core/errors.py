"""What every part raises on purpose: a stable code, a status, a sentence with expectation and value."""


class TaskhubError(Exception):
    """Base of all errors a caller may meet.

    Args:
        message: what was expected and what came.
        fields: sentence per field of the input that is wrong.
        retry_after: seconds after which a new try makes sense.
    """

    code = "error"
    status = 400

    def __init__(
        self, message: str, *, fields: dict[str, str] | None = None, retry_after: int | None = None
    ) -> None:
        super().__init__(message)
        self.fields = fields or {}
        self.retry_after = retry_after


class BadInput(TaskhubError):
    code = "bad_input"


class NotSignedIn(TaskhubError):
    code = "not_signed_in"
    status = 401


class Forbidden(TaskhubError):
    code = "forbidden"
    status = 403


class NotFound(TaskhubError):
    code = "not_found"
    status = 404


class Conflict(TaskhubError):
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
    code = "unavailable"
    status = 503


class NoSpace(TaskhubError):
    code = "no_space"
    status = 507
