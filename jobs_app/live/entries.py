"""What was read of one thing, ready to be sent to as many as ask for it."""

import json
from typing import Any

from rest_framework.utils.encoders import JSONEncoder


def encode(value: object) -> str:
    """JSON as short as it gets."""
    return json.dumps(value, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"))


class Entry:
    """A row as it was read; the same object as long as nothing in it has changed.

    So whether a page has been told is one comparison of identities, and the text is made once.

    Attributes:
        row: the shape REST shows; None: there is no such thing.
        owner: of a job, the key of the user it belongs to.
        mark: equal as long as the row is the same for its readers.
    """

    __slots__ = ("_text", "mark", "owner", "row")

    def __init__(self, row: dict[str, Any] | None, *, mark: object, owner: int | None = None) -> None:
        self.row = row
        self.owner = owner
        self.mark = mark
        self._text: str | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = encode(self.row)
        return self._text


GONE = Entry(None, mark=None)
