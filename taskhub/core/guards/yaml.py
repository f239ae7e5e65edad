"""YAML from files people write: plain values within bounds, or refused with file and line."""

import math
import re
from collections.abc import Hashable, Iterator
from typing import Any, NoReturn

import yaml

from taskhub.core.errors import BadInput

LIMIT = 1024 * 1024
DEPTH = 64
PARTS = 100_000
WHOLE = range(-(2**63), 2**63)
# Longer ones are beyond 64 bits in any base, and converting them takes quadratic time.
_LONGEST_NUMBER = 128
# A value that begins with what means something else in YAML.
_BARE = re.compile(r"(?:^\s*-|:|[\[{,])\s+([*@%`])|[\[{,]([*@%`])")

# The parser of libyaml, where the package was built with it: some ten times as fast.
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class BadYaml(BadInput):
    """A file that is no YAML, or holds what is not read.

    Attributes:
        source: the file's name.
        line: counted from 1; 0 if the file as a whole is meant.
        problem: what is wrong, without the place.
    """

    code = "bad_yaml"

    def __init__(self, message: str, *, source: str, line: int = 0) -> None:
        place = f"{source}, line {line}" if line else source
        super().__init__(f"{place}: {message}")
        self.problem = message
        self.source = source
        self.line = line


def load(text: str | bytes, *, source: str) -> Any:
    """The one document in `text`, as plain values; None if it is empty.

    Args:
        source: the file's name, for messages.

    Raises:
        BadYaml: no YAML, several documents, over 1 MiB, deeper than 64, over 100,000 parts with
            aliases counted as what they stand for, an alias within its own anchor, a key given
            twice, a tag that makes objects, a number beyond 64 bits, NaN or infinity, NUL.
    """
    decoded = _decoded(text, source)
    try:
        _check_events(decoded, source)
        loader = _loader(decoded, source)
        try:
            return loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        said = exc.problem or exc.context or "no YAML"
        # What is missing at the end is missing behind the last line.
        line = min(mark.line, decoded.rstrip().count("\n")) + 1 if mark else 0
        hint = _hint(decoded.split("\n")[line - 1]) if line else ""
        raise BadYaml(f"expected YAML, got: {said}{hint}", source=source, line=line) from exc
    except yaml.YAMLError as exc:
        raise BadYaml(f"expected YAML, got: {exc}", source=source) from exc


def _decoded(text: str | bytes, source: str) -> str:
    try:
        raw = text.encode("utf-8") if isinstance(text, str) else text
        decoded = raw.decode("utf-8")
    except UnicodeError as exc:
        raise BadYaml("expected UTF-8, got other bytes", source=source) from exc
    if len(raw) > LIMIT:
        raise BadYaml(f"expected at most {LIMIT} bytes, got {len(raw)}", source=source)
    return decoded.removeprefix("\ufeff")


def _hint(line: str) -> str:
    """What YAML's own words keep from whoever writes `* * * * *` or `@daily` as it stands in a crontab."""
    found = _BARE.search(line)
    return f"; a text that begins with {found[1]} needs quotes around it" if found else ""


def _events(text: str) -> Iterator[yaml.Event]:
    parser = _Parser(text)
    try:
        while parser.check_event():
            yield parser.get_event()
    finally:
        parser.dispose()


def _check_events(text: str, source: str) -> None:
    """Bound depth and size before anything is built; the events come one by one, without recursion."""
    sizes: list[int] = []
    anchors: list[str | None] = []
    known: dict[str, int] = {}
    total = 0
    for event in _events(text):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.CollectionStartEvent):
            sizes.append(1)
            anchors.append(event.anchor)
            if len(sizes) > DEPTH:
                raise BadYaml(f"expected at most {DEPTH} levels, got more", source=source, line=line)
            continue
        if isinstance(event, yaml.CollectionEndEvent):
            size, anchor = sizes.pop(), anchors.pop()
        elif isinstance(event, yaml.ScalarEvent):
            size, anchor = 1, event.anchor
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor in anchors:
                raise BadYaml(
                    f"expected an alias of something complete, got *{event.anchor} within itself",
                    source=source, line=line,
                )  # fmt: skip
            size, anchor = known.get(event.anchor or "", 1), None
        else:
            continue
        if anchor is not None:
            known[anchor] = size
        if sizes:
            sizes[-1] += size
        total = sizes[0] if sizes else size
        if max(total, sizes[-1] if sizes else 0) > PARTS:
            raise BadYaml(f"expected at most {PARTS} parts, got more", source=source, line=line)


def _loader(text: str, source: str) -> Any:
    loader = _StrictLoader(text)
    loader.source = source
    return loader


class _StrictLoader(_Parser):  # type: ignore[misc] # one of two classes, chosen at import
    """Builds texts, numbers, flags, dates, lists and maps; every other tag is an error."""

    source = ""

    def refuse(self, node: yaml.Node, message: str) -> NoReturn:
        raise BadYaml(message, source=self.source, line=node.start_mark.line + 1)

    def map_of(self, node: yaml.MappingNode) -> Iterator[dict[Hashable, Any]]:
        """Two steps, as PyYAML builds maps: first the empty one, then what stands in it."""
        if not isinstance(node, yaml.MappingNode):
            self.refuse(node, "expected a map, got something tagged as one")
        found: dict[Hashable, Any] = {}
        yield found
        self._refuse_repeats(node)
        self.flatten_mapping(node)
        found.update(self.construct_mapping(node))

    def _refuse_repeats(self, node: yaml.MappingNode) -> None:
        """Before `<<` is resolved: what a map says itself may well replace what it takes over."""
        seen: set[Hashable] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self.refuse(key_node, "expected a name, got a list or a map")
            key = self.construct_object(key_node) if key_node.tag != "tag:yaml.org,2002:merge" else "<<"
            if key in seen:
                self.refuse(key_node, f"{str(key)[:80]}: expected to be given once, got it twice")
            seen.add(key)

    def whole(self, node: yaml.ScalarNode) -> int:
        try:
            if len(node.value) > _LONGEST_NUMBER:
                raise ValueError
            value: int = self.construct_yaml_int(node)
            if value not in WHOLE:
                raise ValueError
        except (ValueError, IndexError):
            self.refuse(node, f"expected a whole number of 64 bits, got {node.value[:40]}")
        return value

    def number(self, node: yaml.ScalarNode) -> float:
        try:
            value: float = self.construct_yaml_float(node)
        except (ValueError, IndexError, OverflowError):
            value = math.nan
        if not math.isfinite(value):
            self.refuse(node, f"expected a finite number, got {node.value[:40]}")
        return value

    def flag(self, node: yaml.ScalarNode) -> bool:
        word = str(self.construct_scalar(node)).lower()
        if word not in self.bool_values:
            self.refuse(node, f"expected true or false, got {word[:40]}")
        value: bool = self.bool_values[word]
        return value

    def text(self, node: yaml.ScalarNode) -> str:
        value: str = self.construct_scalar(node)
        if "\0" in value or any(0xD800 <= ord(c) <= 0xDFFF for c in value):
            self.refuse(node, "expected a text without NUL and lone surrogates, got one with")
        return value

    def moment(self, node: yaml.ScalarNode) -> Any:
        try:
            return self.construct_yaml_timestamp(node)
        except (ValueError, OverflowError, AttributeError):
            self.refuse(node, f"expected a date that exists, got {node.value[:40]}")

    def unknown(self, node: yaml.Node) -> NoReturn:
        self.refuse(node, f"expected plain values, got the tag {str(node.tag)[:80]}")


_CORE = "tag:yaml.org,2002:"
for _tag, _make in {
    "map": _StrictLoader.map_of,
    "bool": _StrictLoader.flag,
    "int": _StrictLoader.whole,
    "float": _StrictLoader.number,
    "str": _StrictLoader.text,
    "timestamp": _StrictLoader.moment,
    "binary": _StrictLoader.unknown,
    "omap": _StrictLoader.unknown,
    "pairs": _StrictLoader.unknown,
    "set": _StrictLoader.unknown,
    None: _StrictLoader.unknown,
}.items():
    _StrictLoader.add_constructor(None if _tag is None else _CORE + _tag, _make)
