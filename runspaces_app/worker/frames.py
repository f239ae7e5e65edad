"""Frames between engine and runspace: a 4-byte big-endian length, then one JSON object.

Engine to runspace (`t` names the kind):
    run     job, attempt, fence, … : everything the job needs (see `runspaces_app.protocol`)
    ack     upto: every end frame up to this sequence number is committed
    cancel  job, attempt, grace: end that attempt; now: without grace
    back    job, attempt: give it back if it has not begun
    reply   n, value | error: the answer to an `ask`
    collect: run the garbage collector between jobs
    close   : leave once idle
Runspace to engine:
    hello   pid
    started job, attempt, fence, at
    progress job, attempt, fence, percent, message, at
    end     seq, job, attempt, fence, … : the outcome, kept until acknowledged
    back    job, attempt, fence: it had not begun and will not
    ask     n, op, … : spawn a job, read or change the shared state

Standard library only.
"""

import json
import socket
import struct
from collections.abc import Iterator
from typing import Any

_LENGTH = struct.Struct(">I")
# Made once: `json.dumps` with separators makes an encoder at each call.
to_text = json.JSONEncoder(separators=(",", ":")).encode
_to_strict_text = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode
# A job carries at most 1 MiB of code and 256 KiB of maps, a result 1 MiB; JSON may swell a text six-fold.
LARGEST = 16 * 1024 * 1024


class BrokenFrame(Exception):
    """The other side sent something that is no frame."""


def encode(frame: dict[str, Any]) -> bytes:
    body = to_text(frame).encode()
    return _LENGTH.pack(len(body)) + body


def encode_question(frame: dict[str, Any]) -> bytes:
    """A frame that carries values of a script.

    Raises:
        TypeError, ValueError, RecursionError: they are no JSON, hold a lone surrogate, or are too large.
    """
    body = _to_strict_text(frame).encode()
    if len(body) > LARGEST:
        raise ValueError(f"expected at most {LARGEST} bytes of JSON, got {len(body)}")
    return prefixed(body)


class Decoder:
    """Cuts a stream of bytes into frames, however the pieces arrive."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def bodies(self, data: bytes) -> Iterator[bytes]:
        """The JSON texts completed by these bytes.

        Raises:
            BrokenFrame: a length beyond the largest allowed.
        """
        self._buffer += data
        at = 0
        while len(self._buffer) - at >= 4:
            (length,) = _LENGTH.unpack_from(self._buffer, at)
            if length > LARGEST:
                raise BrokenFrame(f"a frame of {length} bytes")
            if len(self._buffer) - at - 4 < length:
                break
            yield bytes(self._buffer[at + 4 : at + 4 + length])
            at += 4 + length
        del self._buffer[:at]

    def frames(self, data: bytes) -> Iterator[dict[str, Any]]:
        for body in self.bodies(data):
            yield json.loads(body)


def prefixed(body: bytes) -> bytes:
    """A ready JSON text as a frame."""
    return _LENGTH.pack(len(body)) + body


def send_with_descriptors(sock: socket.socket, message: dict[str, Any], descriptors: list[int]) -> None:
    """One JSON message with open descriptors, over a SOCK_SEQPACKET socket."""
    socket.send_fds(sock, [json.dumps(message).encode()], descriptors)


def receive_with_descriptors(sock: socket.socket, most: int) -> tuple[dict[str, Any] | None, list[int]]:
    """The next message of a SOCK_SEQPACKET socket and its descriptors; None at its end."""
    data, descriptors, _, _ = socket.recv_fds(sock, 65_536, most)
    return (json.loads(data) if data else None), list(descriptors)
