"""The page about task files says what is: every field, with its default, and examples that are read."""

import re
from dataclasses import MISSING, fields

import pytest

from tasks_app.definitions import schema, spelling
from tasks_app.definitions.schema import Definition
from tasks_app.pages.schedules import REASONS
from tasks_app.schedule import misfire, overlap
from tests.acceptance.harness import ROOT

pytestmark = pytest.mark.one_database

PAGE = (ROOT / "docs" / "tasks.md").read_text()
# Name, group and default of each field; the tables further down hold no fields.
ROWS = [
    (cells[1].strip(" `"), cells[2].strip(), cells[3].strip())
    for cells in (line.split("|") for line in PAGE.splitlines())
    if len(cells) == 6 and cells[1].startswith(" `")
]


def test_its_two_examples_are_the_same_task():
    nested, flat = (
        schema.parse(text, file="tasks.yaml") for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    )
    assert nested.definitions == flat.definitions and len(nested.definitions) == 1
    assert not nested.problems + flat.problems


def test_it_names_every_field_where_it_stands():
    told = {}
    for name, place, _ in ROWS:
        field = spelling.FLAT[spelling.snake(name)]
        told[field] = place
        for group in re.findall(r"^`(\w+)`", place):
            inner = re.search(r"as `(\w+)`", place)
            assert spelling.GROUPS[group][spelling.snake(inner[1] if inner else name)] == field
    assert set(told) == {field.name for field in fields(Definition)}
    assert {field for group in spelling.GROUPS.values() for field in group.values()} == {
        field for field, place in told.items() if place
    }


def test_its_defaults_are_those_of_a_task():
    defaults = {field.name: field.default for field in fields(Definition) if field.default is not MISSING}
    for name, _, said in ROWS:
        value = defaults.get(spelling.FLAT[spelling.snake(name)])
        if (found := re.match(r"`([\w.-]+)`(?!,)", said)) is not None:
            assert found[1] in (
                str(value),
                str(value).lower(),
                f"{value:g}" if isinstance(value, float) else "",
            )
        else:
            assert value in (None, "", "python")


def test_it_names_every_policy_and_every_reason():
    for word in (*misfire.POLICIES, *overlap.POLICIES):
        assert f"`{word}`" in PAGE
    # Nothing is ever skipped for these two: what waits for room waits as a job.
    for reason in set(REASONS) - {"limit", "paused"}:
        assert f"`{reason}`" in PAGE
