"""Colours of terminals: the escapes in a line of output as runs of text with class names."""

import re
from typing import NamedTuple

_ESCAPE = re.compile(
    r"\x1b\[([0-9;]*)m"  # colours: kept
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # other control sequences
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # titles, links
    r"|\x1b[@-_]?"  # the rest
)
_UNSEEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_STYLES = {1: "bold", 2: "dim", 3: "italic", 4: "underline"}
_ENDS = {22: ("bold", "dim"), 23: ("italic",), 24: ("underline",)}


class Run(NamedTuple):
    """Text of one look; `look` is a list of classes."""

    text: str
    look: str


def runs(line: str) -> list[Run]:
    """A line as it would stand in a terminal after it was written: colours kept, other escapes dropped.

    What was overwritten by a carriage return (progress bars) is left out. Extended colours are
    dropped. The text is still text: whoever shows it has to escape it.
    """
    shown = line.rstrip("\r").rsplit("\r", 1)[-1]
    found: list[Run] = []
    styles: set[str] = set()
    colour = ""
    position = 0
    for escape in _ESCAPE.finditer(shown):
        _add(found, shown[position : escape.start()], styles, colour)
        position = escape.end()
        if escape.group(1) is not None:
            styles, colour = _apply(escape.group(1), styles, colour)
    _add(found, shown[position:], styles, colour)
    return found


def _add(found: list[Run], text: str, styles: set[str], colour: str) -> None:
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)
    if text:
        names = [*sorted(styles), *([colour] if colour else [])]
        found.append(Run(text, " ".join(f"th-ansi-{name}" for name in names)))


def _apply(codes: str, styles: set[str], colour: str) -> tuple[set[str], str]:
    numbers = [int(code) if len(code) < 4 and code else 0 for code in codes.split(";")]
    styles = set(styles)
    while numbers:
        code = numbers.pop(0)
        if code == 0:
            styles, colour = set(), ""
        elif code in _STYLES:
            styles.add(_STYLES[code])
        elif code in _ENDS:
            styles -= set(_ENDS[code])
        elif 30 <= code <= 37 or 90 <= code <= 97:
            colour = str(code)
        elif code == 39:
            colour = ""
        elif code in (38, 48):
            # Extended colours carry one number (5;n) or three (2;r;g;b) more.
            kind = numbers.pop(0) if numbers else 0
            del numbers[: {5: 1, 2: 3}.get(kind, 0)]
    return styles, colour
