"""Errors raised on purpose have stable codes, one each, and every code is met by a test."""

import ast
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, python_files, tree

pytestmark = pytest.mark.one_database


def codes() -> dict[str, tuple[Path, str]]:
    """Each `code = "…"` in the body of an error class, with its file and class."""
    found: dict[str, tuple[Path, str]] = {}
    for file in python_files():
        for node in ast.walk(tree(file)):
            if not isinstance(node, ast.ClassDef) or not _is_error(node):
                continue
            for statement in node.body:
                if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(
                    statement.value, ast.Constant
                ):
                    target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
                    if ast.unparse(target) == "code" and statement.value.value:
                        code = str(statement.value.value)
                        assert code not in found, f"{code} is used by {found.get(code)} and {node.name}"
                        found[code] = (file, node.name)
    return found


def _is_error(node: ast.ClassDef) -> bool:
    """Derives from another class and is no form, field or struct: those have fields called `code`."""
    bases = [ast.unparse(base) for base in node.bases]
    return bool(bases) and not any("Struct" in base or "Serializer" in base for base in bases)


def test_no_code_stands_for_two_errors():
    assert codes()


def test_every_code_is_met_by_a_test():
    text = "\n".join(file.read_text() for file in python_files("tests") if "architecture" not in file.parts)
    missing = sorted(code for code, (_, name) in codes().items() if code not in text and name not in text)
    assert missing == []


def test_no_file_is_too_long_to_be_one_thing():
    long = [
        f"{file.relative_to(ROOT)}: {count} lines"
        for file in python_files("taskhub", "scaffolding", "runspaces_app", "tasks_app", "jobs_app", "tests")
        if (count := len(file.read_text().splitlines())) > 450
    ]
    assert long == []
