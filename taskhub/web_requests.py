"""Requests as they come off the wire: bounded bodies, read by nobody but the application."""

from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest

# More than any page or endpoint takes.
LARGEST_BODY = 32 * 1024 * 1024


class Request(WebRequest):  # type: ignore[misc] # daphne ships no types
    """Keeps no more of a body than `LARGEST_BODY`, whoever sends it and however long it says it is.

    The rest is read and thrown away, so that the sender comes to see the answer; who answers knows
    the true length from the header. Without this the body of a stranger would fill disk and memory.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Forms are Django's to read. Twisted would do it first, in the reactor, and drop the connection over bad ones.
        super().__init__(*arguments, parsePOSTFormSubmission=False, **options)
        self._received = 0

    def gotLength(self, length: int | None) -> None:
        super().gotLength(None if length is None else min(length, LARGEST_BODY))

    def handleContentChunk(self, data: bytes) -> None:
        kept = data[: max(0, LARGEST_BODY - self._received)]
        self._received += len(data)
        if kept:
            super().handleContentChunk(kept)

    def process(self) -> Any:
        if self._received:
            # A body that came in chunks has no such header, and Django would take it for an empty one.
            self.requestHeaders.setRawHeaders(b"Content-Length", [str(self._received).encode()])
        return super().process()


class Requests(HTTPFactory):  # type: ignore[misc] # daphne ships no types
    """Makes a `Request` of each."""

    def buildProtocol(self, addr: Any) -> Any:
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = Request
        return protocol
