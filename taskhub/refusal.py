"""How a start is refused."""


class CannotStart(Exception):
    """Taskhub cannot start as things are; the text is one sentence that says why, and what helps."""
