"""Every variable from outside is in the one table, and the README shows that table."""

import ast
import re

import pytest

from taskhub.core import secrets_pipe
from taskhub.environment import VARIABLES
from tests.architecture.sources import ROOT, place, python_files, tree

pytestmark = pytest.mark.one_database

KNOWN = {variable.name for variable in VARIABLES}
# Between our own processes, or given to scripts; nobody sets them from outside.
INTERNAL = {secrets_pipe.PIPE}
FOR_SCRIPTS = re.compile(r"TASKHUB_(JOB_ID|TASK|APP|ATTEMPT|FENCE|TRIGGER|DUE_AT|CHANNEL|PARAM_.*|COOKIE)$")


def reads(file):
    """Names of TASKHUB_ variables that a file takes from the environment, with their lines.

    A name may stand in a constant of the same file.
    """
    constants = {
        ast.unparse(node.targets[0]): node.value
        for node in tree(file).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called.split(".")[-1].startswith("env_") or called.endswith(
                (".environ.get", ".getenv", ".environ.pop")
            ):
                given = [constants.get(ast.unparse(argument), argument) for argument in node.args[:1]]
                names = [argument for argument in given if isinstance(argument, ast.Constant)]
                yield from ((str(name.value), node.lineno) for name in names)
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("os.environ"):
            yield from (
                [(str(node.slice.value), node.lineno)] if isinstance(node.slice, ast.Constant) else []
            )


def test_every_variable_read_is_in_the_table():
    unknown = [
        f"{place(file, line)} reads {name}"
        for file in python_files()
        for name, line in reads(file)
        if name.startswith("TASKHUB_") and name not in KNOWN | INTERNAL and not FOR_SCRIPTS.match(name)
    ]
    assert unknown == []


def test_every_variable_of_the_table_is_read():
    read = {name for file in python_files() for name, _ in reads(file)}
    assert sorted(KNOWN - read) == []


def test_the_readme_shows_the_table():
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| `TASKHUB_")]
    assert rows == [
        f"| `{each.name}` | {each.form} | {each.default} | {each.meaning} |" for each in VARIABLES
    ]


def test_every_secret_of_the_table_is_hidden():
    secret = {"TASKHUB_SECRET_KEY", "TASKHUB_DATABASE_URL", "TASKHUB_ADMIN_PASSWORD"}
    assert {variable.name for variable in VARIABLES if variable.secret} == secret
