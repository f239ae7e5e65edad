"""The plain model of an output: a list of what was written, read by counting."""

from typing import NamedTuple

NAMES = {1: "stdout", 2: "stderr"}


class ModelLine(NamedTuple):
    number: int
    stream: str
    offset: int
    data: bytes  # without its line feed
    ended: bool
    end: int  # offset behind it and its line feed


class Model:
    """Bytes with the stream of each, and the lines they make."""

    def __init__(self, written):
        self.data = b"".join(data for _, data in written)
        self.streams = bytes(stream for stream, data in written for _ in data)

    def lines(self):
        found: list[ModelLine] = []
        begin = 0
        for position in range(len(self.data)):
            last = position + 1 == len(self.data)
            feed = self.data[position] == 10
            if feed or last or self.streams[position + 1] != self.streams[position]:
                data = self.data[begin : position if feed else position + 1]
                found.append(
                    ModelLine(
                        len(found) + 1,
                        NAMES[self.streams[begin]],
                        begin,
                        data,
                        feed or not last,
                        position + 1,
                    )
                )
                begin = position + 1
        return found

    def bytes_of(self, begin, end, stream=None):
        wanted = zip(self.data[begin:end], self.streams[begin:end], strict=True)
        return bytes(byte for byte, of in wanted if stream is None or NAMES[of] == stream)
