"""Output as the API shows it."""

from typing import Any

from rest_framework import serializers

from jobs_app.output import Chunk, LineChunk, Matches


class GapShape(serializers.Serializer[Any]):
    """Bytes that were written but are kept no more."""

    offset = serializers.IntegerField()
    bytes = serializers.IntegerField()


class LineShape(serializers.Serializer[Any]):
    """One line."""

    number = serializers.IntegerField(help_text="From 1, over everything that was written.")
    offset = serializers.IntegerField(help_text="Of its first kept byte.")
    time = serializers.DateTimeField()
    stream = serializers.ChoiceField(choices=["stdout", "stderr"])
    text = serializers.CharField()
    cut = serializers.BooleanField(
        help_text="The line is longer than the text: its beginning, then what the last carriage return wrote over it."
    )
    ended = serializers.BooleanField(help_text="No more of it will come.")


class OutputShape(serializers.Serializer[Any]):
    """A range of the output, by bytes (`data`) or by lines (`lines`), and how much there is by now."""

    bytes = serializers.IntegerField(help_text="All that was written.")
    total_lines = serializers.IntegerField()
    dropped = serializers.IntegerField()
    complete = serializers.BooleanField(help_text="Nothing more will come.")
    attempt = serializers.IntegerField()
    gaps = GapShape(many=True)
    offset = serializers.IntegerField(required=False, help_text="Of the first byte of the range.")
    next_offset = serializers.IntegerField(required=False, help_text="Where to go on.")
    data = serializers.CharField(required=False, help_text="UTF-8; bytes that are none became U+FFFD.")  # type: ignore[assignment] # as the API names it
    lines = LineShape(many=True, required=False)
    next_line = serializers.IntegerField(required=False, help_text="Where to go on.")


class MatchesShape(serializers.Serializer[Matches]):
    """Lines that hold the text."""

    lines = LineShape(many=True)
    after_line = serializers.IntegerField(help_text="Pass it on to search what is behind.")
    complete = serializers.BooleanField(help_text="The whole output was searched.")


def by_bytes(chunk: Chunk) -> dict[str, Any]:
    return {
        "offset": chunk.offset,
        "next_offset": chunk.next_offset,
        "data": chunk.data.decode("utf-8", "replace"),
        "gaps": GapShape(chunk.gaps, many=True).data,
    }


def by_lines(chunk: LineChunk) -> dict[str, Any]:
    return {
        "lines": LineShape(chunk.lines, many=True).data,
        "next_line": chunk.next_line,
        "gaps": GapShape(chunk.gaps, many=True).data,
    }
