"""The web process: daphne on a socket that is already open, with an end that comes in time."""

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from daphne.server import Server  # isort: skip # first, because it chooses Twisted's reactor
from autobahn.exception import Disconnected
from daphne.http_protocol import WebRequest
from daphne.ws_protocol import WebSocketProtocol
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred

from .web_requests import Requests

# SIGTERM to exit takes at most two seconds: so long may requests in hand take to finish,
FINISH_SECONDS = 1.5
# and so long what was cut off after that may take to clean up.
CLEAN_UP_SECONDS = 0.3
CHECK_SECONDS = 0.05
# How often to look whether a reader has taken what was sent to it.
UNSENT_SECONDS = 0.02

log = logging.getLogger(__name__)
# Its declared type is one of the interfaces it has, and not the right one.
reactor: Any = installed_reactor


class Socket(WebSocketProtocol):  # type: ignore[misc] # daphne ships no types
    """Bounds what comes in. The library means its limit for what goes out as well, and fails for who has left."""

    def sendMessage(self, payload: bytes, *arguments: Any, **options: Any) -> None:
        limit: int = self.maxMessagePayloadSize  # type: ignore[has-type] # set by the factory
        self.maxMessagePayloadSize = 0
        try:
            # Who has left meanwhile needs nothing; that he left is told to the consumer anyway.
            with suppress(Disconnected):
                super().sendMessage(payload, *arguments, **options)
        finally:
            self.maxMessagePayloadSize = limit


class WebServer(Server):  # type: ignore[misc] # daphne ships no types
    """Serves one ASGI application until SIGTERM or SIGINT; a second one ends it at once.

    Args:
        ready: called when requests are being answered.
    """

    def __init__(self, application: object, listener: socket.socket, *, ready: Callable[[], None]) -> None:
        super().__init__(
            application,
            endpoints=["adopted by run()"],
            signal_handlers=False,
            http_timeout=None,
            websocket_max_message_size=64 * 1024,
            websocket_max_frame_size=64 * 1024,
            ready_callable=self._adopt,
            server_name="taskhub",
        )
        # Daphne insists on an endpoint and can parse only addresses that it opens itself.
        self.endpoints: list[str] = []
        self._listener = listener
        self._ready = ready
        self._port: Any = None
        self._deadline: float | None = None

    def serve(self) -> None:
        """Run until told to stop. Never returns: threads still at work must not delay the end."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        self.run()
        logging.shutdown()
        os._exit(0)

    def _adopt(self) -> None:
        self.ws_factory.protocol = Socket
        # Twisted accepts until it would block, and takes the socket as it is.
        self._listener.setblocking(False)
        self._port = reactor.adoptStreamPort(self._listener.fileno(), self._listener.family, Requests(self))
        reactor.callLater(0, self._ready)

    def _asked_to_stop(self, number: int, frame: object) -> None:
        if self._deadline is not None:
            os._exit(0)
        self._deadline = reactor.seconds() + FINISH_SECONDS
        reactor.callFromThread(self._drain)

    def _drain(self) -> None:
        """Take no more connections; go when the requests in hand are answered or the time is over."""
        self._port.stopListening()
        self._listener.close()
        self._wait_for_requests()

    def _wait_for_requests(self) -> None:
        if not self._requests_in_hand() or reactor.seconds() >= (self._deadline or 0):
            self.stop()
        else:
            reactor.callLater(CHECK_SECONDS, self._wait_for_requests)

    def _requests_in_hand(self) -> int:
        return sum(
            isinstance(protocol, WebRequest)
            and "disconnected" not in details
            and not getattr(details.get("application_instance"), "done", lambda: False)()
            for protocol, details in self.connections.items()
        )

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Come back from sending to a socket only when the system has taken all of it.

        Daphne would buffer without bound for a reader that does not read.
        """
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send":
            while _unsent(protocol.transport) and "disconnected" not in self.connections.get(
                protocol, {"disconnected": 0}
            ):
                await asyncio.sleep(UNSENT_SECONDS)

    def kill_all_applications(self) -> "Deferred[None]":
        """Cancel what still runs, and wait for it no longer than `CLEAN_UP_SECONDS`."""
        running = [
            task
            for details in self.connections.values()
            if (task := details.get("application_instance")) is not None and not task.done()
        ]
        for task in running:
            task.cancel()
        if running:
            log.info("Cut off %s connections that were still open", len(running))

        async def cleaned_up() -> None:
            if running:
                await asyncio.wait(running, timeout=CLEAN_UP_SECONDS)

        return Deferred.fromFuture(asyncio.ensure_future(cleaned_up()))


def _unsent(transport: Any) -> int:
    """Bytes that Twisted keeps because the system's own buffer is full."""
    if transport is None:
        return 0
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)
