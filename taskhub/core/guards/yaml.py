"""YAML files from outside: safe types only, bounded, each key once, errors with file and line."""

from typing import Any

import yaml

from taskhub.core.errors import BadInput

LIMIT = 1024 * 1024
DEPTH = 64
NODES = 100_000


class BadYaml(BadInput):
    """The file is no YAML of ours; `line` counts from 1, 0 where none can be named."""

    code = "bad_yaml"

    def __init__(self, source: str, line: int, problem: str) -> None:
        place = f"{source}, line {line}" if line else source
        super().__init__(f"{place}: {problem}")
        self.source, self.line, self.problem = source, line, problem


def load(text: str, *, source: str) -> Any:
    """The value of a YAML text.

    Args:
        source: the file, for errors.

    Raises:
        BadYaml: not YAML, too large, too deep, an alias bomb, a key twice, or a tag that makes objects.
    """
    if len(text.encode("utf-8", "replace")) > LIMIT:
        raise BadYaml(source, 0, f"expected at most {LIMIT} bytes")
    try:
        node = yaml.compose(text, Loader=_Loader)
        if node is None:
            return None
        _check(node, source)
        loader = _Loader("")
        try:
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        raise BadYaml(source, mark.line + 1 if mark else 0, exc.problem or str(exc)) from exc
    except (yaml.YAMLError, ValueError, OverflowError) as exc:
        raise BadYaml(source, 0, str(exc).splitlines()[0]) from exc
    except RecursionError as exc:
        raise BadYaml(source, 0, f"expected at most {DEPTH} levels") from exc


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            try:
                double = key in seen
            except TypeError as exc:
                raise yaml.constructor.ConstructorError(None, None, "expected a plain key", key_node.start_mark) from exc
            if double:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", key_node.start_mark)
            seen.add(key)
        return super().construct_mapping(node, deep)


def _check(root: yaml.Node, source: str) -> None:
    """Count nodes as they would be after aliases are followed: a few lines can mean millions."""
    count = 0
    waiting = [(root, 0)]
    while waiting:
        node, level = waiting.pop()
        count += 1
        line = node.start_mark.line + 1
        if count > NODES:
            raise BadYaml(source, line, f"expected at most {NODES} values, aliases followed")
        if level > DEPTH:
            raise BadYaml(source, line, f"expected at most {DEPTH} levels")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                waiting += [(key, level + 1), (value, level + 1)]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(item, level + 1) for item in node.value]
