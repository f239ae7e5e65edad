"""The socket of one page: it is told what to show, and sends what differs from what it sent last."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.utils import timezone

from taskhub.core.errors import TaskhubError
from taskhub.core.guards.json import parse

from . import callers, topics, watcher
from .entries import Entry, encode
from .frames import differing, frame, stamp
from .topics import Key, Rights, Topics
from .watcher import Watch

log = logging.getLogger("taskhub.live")

SIGNED_OUT = 4401
TOO_MANY = 4429
TOO_BIG = 1009

ROUND_SECONDS = 0.2
# A page that took longer to take a frame is not told what it missed but how things are.
SLOW_SECONDS = 2.0
MOST_BYTES = 64 * 1024
# A page may speak so often at once, and then so often a second.
BURST = 40
FRAMES_PER_SECOND = 10.0


class Allowance:
    """How many frames a page may still send: a bucket that fills again with time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left = float(BURST)
        self._at = clock()

    def take(self) -> bool:
        now = self._clock()
        self._left = min(float(BURST), self._left + (now - self._at) * FRAMES_PER_SECOND)
        self._at = now
        self._left -= 1
        return self._left >= 0


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc] # channels ships no types
    """One page. All of it runs in the event loop; only the questions of rights go to a thread.

    Attributes:
        clock, monotonic: replaced by tests.
    """

    clock: Callable[[], datetime] = staticmethod(timezone.now)
    monotonic: Callable[[], float] = staticmethod(time.monotonic)
    check_seconds: float = settings.LIVE_CHECK_SECONDS
    round_seconds = ROUND_SECONDS

    async def connect(self) -> None:
        session = self.scope.get("session")
        self._session: str | None = getattr(session, "session_key", None)
        self._rights: Rights | None = None
        self._topics = Topics()
        self._keys: frozenset[Key] = frozenset()
        self._sent: dict[Key, Entry] = {}
        self._snapshot = False
        self._said_refused: dict[str, str] = {}
        self._news = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(self._wake)
        self._tasks: list[asyncio.Task[None]] = []
        self._allowance = Allowance(self.monotonic)
        # Accepted first: a browser cannot tell a refused handshake from a server that is away.
        await self.accept()
        if await self._check():
            self._tasks = [
                asyncio.create_task(self._guarded(self._speak), name="live-speak"),
                asyncio.create_task(self._guarded(self._check_again), name="live-check"),
            ]

    async def disconnect(self, code: int) -> None:
        watcher.watcher.change(self._watch, frozenset())
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self._rights is None:
            return
        if not self._allowance.take():
            await self._end(TOO_MANY)
            return
        raw = bytes_data if text_data is None else text_data.encode("utf-8", "surrogatepass")
        if raw is None or len(raw) > MOST_BYTES:
            await self._end(TOO_BIG)
            return
        try:
            await self._told(parse(raw, limit=MOST_BYTES))
        except TaskhubError as exc:
            await self._say({"error": str(exc), "code": exc.code})

    async def _told(self, message: Any) -> None:
        if not isinstance(message, dict) or len(message) != 1:
            await self._say({"error": 'expected {"subscribe": {…}} or {"ping": n}', "code": "bad_input"})
        elif "subscribe" in message:
            self._topics = topics.subscription(message["subscribe"])
            self._begin()
        elif "ping" in message and isinstance(message["ping"], int | float | str):
            await self._say({"pong": message["ping"]})
        else:
            await self._say({"error": 'expected {"subscribe": {…}} or {"ping": n}', "code": "bad_input"})

    def _begin(self) -> None:
        """Watch what the topics mean for this caller by now, and tell all of it."""
        assert self._rights is not None  # noqa: S101 - nobody subscribes before he is known
        self._keys = self._rights.keys(self._topics)
        self._said_refused = self._rights.refusals(self._topics)
        self._snapshot = True
        watcher.watcher.change(self._watch, self._keys)
        self._news.set()

    def _wake(self) -> None:
        """Called by the watcher's thread."""
        # Without its loop there is nobody left to wake.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._news.set)

    async def _speak(self) -> None:
        """At once when idle, else one frame a round; what happens meanwhile is in the next one."""
        while True:
            await self._news.wait()
            self._news.clear()
            if not await self._tell():
                continue
            await asyncio.sleep(self.round_seconds)

    async def _tell(self) -> bool:
        """Send what differs, if all of it has been read; False if there is nothing to say."""
        entries, keys, rights, snapshot = watcher.watcher.entries, self._keys, self._rights, self._snapshot
        if rights is None or any(key not in entries for key in keys):
            return False
        sent = {} if snapshot else self._sent
        news = differing(keys, entries, rights=rights, sent=sent)
        if not news and not snapshot:
            return False
        self._snapshot = False
        self._sent = {**sent, **news}
        started = self.monotonic()
        # Comes back when the page has taken it: one frame is under way, never more.
        await self.send(
            text_data=frame(
                news, snapshot=snapshot, now=self.clock(), refused=self._said_refused if snapshot else None
            )
        )
        if self.monotonic() - started > SLOW_SECONDS:
            self._snapshot = True
            self._news.set()
        return True

    async def _check_again(self) -> None:
        while True:
            await asyncio.sleep(self.check_seconds)
            if not await self._check():
                return

    async def _check(self) -> bool:
        """Ask again who this is and what he may see; False: nobody, and the socket is closed."""
        rights = await callers.rights_now(self._session)
        if rights is None:
            self._rights = None
            await self._end(SIGNED_OUT)
            return False
        changed = self._rights is not None and rights != self._rights
        self._rights = rights
        if changed:
            self._begin()
        return True

    async def _end(self, code: int) -> None:
        watcher.watcher.change(self._watch, frozenset())
        self._keys = frozenset()
        self._rights = None
        await self.close(code=code)

    async def _say(self, words: dict[str, Any]) -> None:
        await self.send(text_data=encode({**words, "now": stamp(self.clock())}))

    async def _guarded(self, work: Callable[[], Any]) -> None:
        """A page whose socket broke inside connects again; it must not stand still unnoticed."""
        try:
            await work()
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("a live socket ended")
            await self.close(code=1011)
