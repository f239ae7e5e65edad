"""What is wrong in a task file, and where."""

from collections.abc import Sequence
from typing import NamedTuple

import yaml

Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """One mistake.

    Attributes:
        line: counted from 1; 0 if the file as a whole is meant.
        field: as the file spells it, with the task it belongs to: `tasks[2].schedule.cron`.
    """

    file: str
    line: int
    field: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.field}: {self.message}" if self.field else f"{place}: {self.message}"


def field_at(place: Place) -> str:
    text = ""
    for step in place:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def lines_of(text: str, places: Sequence[Place]) -> list[int]:
    """The line of each place in a YAML text; of the nearest thing around it if it is not there.

    The text has been parsed before with the guards that bound it.
    """
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return [_line(root, place) for place in places]


def _line(node: yaml.Node | None, place: Place) -> int:
    if node is None:
        return 1
    line: int = node.start_mark.line + 1
    for step in place:
        found = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(step):
                    # The key's own line: a nested value begins on the next one.
                    found, line = value, key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = node.value[step]
            line = found.start_mark.line + 1
        if found is None:
            break
        node = found
    return line
