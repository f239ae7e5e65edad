"""Values of parameters as text in a form and back. In node, without a page."""

import pytest

from tests.browser.test_log_modules import run

pytestmark = [pytest.mark.one_database]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("plain", '"plain"'),
        ("", '""'),
        ("7", "7"),
        ("9007199254740993", "9007199254740993"),
        ("1.0", "1.0"),
        ("007", '"007"'),
        ("10.0.0.1", '"10.0.0.1"'),
        ("true", "true"),
        ("truely", '"truely"'),
        ('{"a": [9007199254740993]}', '{"a": [9007199254740993]}'),
        ("[broken", '"[broken"'),
        ('"7"', '"7"'),
    ],
)
def test_what_a_field_means(text, meant):
    assert run("json_values.js", "return it.literal(given[0])", text) == meant


@pytest.mark.parametrize(
    "json",
    ["9007199254740993", "1.0", '"7"', '" 7"', '"true"', '"plain"', "null", '{"a":[9007199254740993,1e5]}'],
)
def test_a_value_survives_being_shown_in_a_field(json):
    assert run("json_values.js", "return it.literal(it.shown(it.parse(given[0])))", json) == json
