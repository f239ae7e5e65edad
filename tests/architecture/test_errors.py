"""Errors raised on purpose have stable codes, one each, and every code is met by a test."""

import ast

import pytest

from tests.architecture.sources import ROOT, python_files, tree

pytestmark = pytest.mark.one_database


def codes() -> list[tuple[str, str]]:
    """Each `code = "…"` in the body of an error class, with the name of the class."""
    return [
        (str(statement.value.value), node.name)
        for file in python_files()
        for node in ast.walk(tree(file))
        if isinstance(node, ast.ClassDef) and _is_error(node)
        for statement in node.body
        if isinstance(statement, ast.Assign | ast.AnnAssign)
        and isinstance(statement.value, ast.Constant)
        and statement.value.value
        and ast.unparse(statement.targets[0] if isinstance(statement, ast.Assign) else statement.target)
        == "code"
    ]


def _is_error(node: ast.ClassDef) -> bool:
    """Derives from another class and is no form, field or struct: those have fields called `code`."""
    bases = [ast.unparse(base) for base in node.bases]
    return bool(bases) and not any("Struct" in base or "Serializer" in base for base in bases)


def test_no_code_stands_for_two_errors():
    names: dict[str, set[str]] = {}
    for code, name in codes():
        names.setdefault(code, set()).add(name)
    assert names
    assert {code: classes for code, classes in names.items() if len(classes) > 1} == {}


def test_every_code_is_met_by_a_test():
    text = "\n".join(file.read_text() for file in python_files("tests") if "architecture" not in file.parts)
    # An app's base class (`job_error`) is there to be derived from.
    raised = [
        (code, name) for code, name in codes() if code == "internal_error" or not code.endswith("_error")
    ]
    assert sorted(code for code, name in raised if code not in text and name not in text) == []


def test_no_file_is_too_long_to_be_one_thing():
    long = [
        f"{file.relative_to(ROOT)}: {count} lines"
        for file in python_files("taskhub", "scaffolding", "runspaces_app", "tasks_app", "jobs_app", "tests")
        if (count := len(file.read_text().splitlines())) > 450
    ]
    assert long == []
