"""The form of a new job: languages, editor, check, parameters; with the mouse, with the keyboard, with errors."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.harness import Installation
from tests.browser.accessibility import serious
from tests.browser.jobs import row

pytestmark = [pytest.mark.browser, pytest.mark.processes]


def new_job(page: Any, where: Installation) -> Any:
    """Open the form; returns its field of code."""
    page.goto(f"{where.address}/admin/jobs_app/job/add/")
    return page.get_by_label("Code", exact=True)


def shown_job(page: Any, where: Installation) -> Any:
    """The job whose page is open, as the API shows it."""
    page.wait_for_url("**/change/")
    return row(where, page.url.split("/")[-3])


def jobs(where: Installation) -> set[str]:
    """Which jobs there are; other tests of this module may have made some."""
    return {job["id"] for job in where.client().get("/api/v1/jobs", limit=500).json()["results"]}


@pytest.fixture
def taskhub(shared):
    return shared


def test_check_names_the_line_before_anything_is_made(page, taskhub, sign_in, complaints):
    before = jobs(taskhub)
    sign_in(page, taskhub)
    code = new_job(page, taskhub)
    code.fill("x = 1\n\ny = (2\n")
    page.get_by_role("button", name="Check").click()
    told = page.locator("[data-told]")
    expect(told).to_have_text(re.compile("Line 3: .*never closed"))
    expect(page.locator(".th-editor__bad")).to_be_visible()
    expect(code).to_be_focused()
    assert code.evaluate("field => field.selectionStart") == 7
    assert serious(page) == []
    # Where the cursor was put one goes on: the closing bracket, and the line is not marked any more.
    page.keyboard.press("End")
    page.keyboard.type(")")
    expect(page.locator(".th-editor__bad")).to_be_hidden()
    page.get_by_role("button", name="Check").click()
    expect(told).to_have_text("It compiles. Nothing was run.")
    page.get_by_label("Language").select_option(label="Shell")
    expect(told).to_have_text("")
    page.get_by_role("button", name="Check").click()
    expect(told).to_have_text(re.compile("syntax error", re.I))
    assert jobs(taskhub) == before


def test_what_was_typed_outlives_a_sign_in_in_another_tab(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    code = new_job(page, taskhub)
    code.fill("'typed before'")
    other = page.context.new_page()
    other.context.clear_cookies()
    sign_in(other, taskhub)
    other.close()
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-told]")).to_have_text("It compiles. Nothing was run.")
    page.get_by_role("button", name="Create and start").click()
    expect(page.locator("h2 .th-badge")).to_have_text("Completed")
    assert shown_job(page, taskhub)["state"] == "completed"


def test_only_the_keyboard_from_an_empty_form_to_a_result(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    new_job(page, taskhub)
    page.get_by_label("Language").focus()
    page.keyboard.press("Tab")
    page.keyboard.type("by hand")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Check")).to_be_focused()
    page.keyboard.press("Tab")
    code = page.get_by_label("Code", exact=True)
    expect(code).to_be_focused()
    page.keyboard.type("for n in range(2):")
    page.keyboard.press("Enter")
    page.keyboard.type("if n:")
    page.keyboard.press("Enter")
    page.keyboard.type("pass")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("print('n is', n)")
    page.keyboard.press("Enter")
    page.keyboard.press("Shift+Tab")
    page.keyboard.type("n")
    expect(code).to_have_value("for n in range(2):\n    if n:\n    pass\n    print('n is', n)\nn")
    code.fill("for n in range(2):\n    print('n is', n)\nn")
    page.keyboard.press("Control+a")
    page.keyboard.press("Tab")
    expect(code).to_have_value("    for n in range(2):\n        print('n is', n)\n    n")
    page.keyboard.press("Shift+Tab")
    expect(code).to_have_value("for n in range(2):\n    print('n is', n)\nn")
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(code).not_to_be_focused()
    start = page.get_by_role("button", name="Create and start")
    for _ in range(30):
        if start.evaluate("button => button === document.activeElement"):
            break
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/change/")
    expect(page.locator("h2 .th-badge")).to_have_text("Completed")
    expect(page.locator("#L2")).to_have_text(re.compile("n is 1"))


def test_parameters_as_rows_and_as_json(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    code = new_job(page, taskhub)
    code.fill("context.parameters")
    rows = page.get_by_role("group", name="Parameters as rows")
    keys, values = rows.get_by_label("Parameters: key"), rows.get_by_label("Parameters: value")
    given = {
        "days": 7,
        "name": "seven",
        "text": "7",
        "list": [1, {"a": None}],
        "on": True,
        "api_token": "s3cret",
    }
    said = {
        **{key: json.dumps(value) for key, value in given.items()},
        "name": "seven",
        "text": '"7"',
        "api_token": "s3cret",
    }
    for place, (key, value) in enumerate(said.items()):
        if place:
            rows.get_by_role("button", name="Add a row").click()
        keys.nth(place).fill(key)
        values.nth(place).fill(value)
    expect(values.nth(5)).to_have_class(re.compile("th-masked"))
    page.get_by_role("button", name="JSON").first.click()
    field = page.get_by_label("Parameters", exact=False).and_(page.locator("textarea"))
    assert json.loads(field.input_value()) == given
    field.fill("not json")
    page.get_by_role("button", name="Rows").first.click()
    expect(page.get_by_text("Not yet a JSON object")).to_be_visible()
    expect(field).to_be_visible()
    field.fill('{"a": 1, "b": "x"}')
    page.get_by_role("button", name="Rows").first.click()
    expect(keys).to_have_count(2)
    keys.nth(1).fill("a")
    expect(page.get_by_text("“a” is there twice.")).to_be_visible()
    keys.nth(1).fill("b")
    rows.get_by_role("button", name="Remove this row").first.click()
    page.get_by_role("button", name="Create and start").click()
    expect(page.locator("#result")).to_have_text(re.compile(r'\{\s*"b": "x"\s*\}'))
    assert shown_job(page, taskhub)["parameters"] == {"b": "x"}


def test_typed_text_survives_a_refusal(page, taskhub, sign_in):
    sign_in(page, taskhub)
    code = new_job(page, taskhub)
    page.get_by_label("Name", exact=False).and_(page.locator("#id_name")).fill("kept")
    code.fill("ok = 1\nbroken = (\n")
    page.get_by_role("group", name="Parameters as rows").get_by_label("Parameters: key").fill("days")
    page.get_by_role("group", name="Parameters as rows").get_by_label("Parameters: value").fill("7")
    page.get_by_label("Time limit").fill("-5")
    page.get_by_role("button", name="Create", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.locator("#id_timeout")).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#id_name")).to_have_value("kept")
    expect(code).to_have_value("ok = 1\nbroken = (\n")
    expect(page.get_by_label("Parameters: key")).to_have_value("days")
    page.get_by_label("Time limit").fill("60")
    page.get_by_role("button", name="Create", exact=True).click()
    # Now it is the code, and the editor shows which line.
    expect(page.locator("#id_code_error")).to_contain_text("Line 2")
    expect(page.locator(".th-editor__bad")).to_be_visible()
    code.fill("ok = 1")
    page.get_by_role("button", name="Create", exact=True).click()
    made = shown_job(page, taskhub)
    assert (made["name"], made["state"], made["timeout"], made["parameters"]) == (
        "kept",
        "created",
        60,
        {"days": 7},
    )


def test_a_language_that_is_not_here_cannot_be_chosen(page, taskhub, sign_in):
    sign_in(page, taskhub)
    new_job(page, taskhub)
    languages = taskhub.client().get("/api/v1/languages").json()["results"]
    for language in languages:
        option = page.locator(f"#id_language option[value={language['name']}]")
        if language["installed"]:
            expect(option).to_be_enabled()
        else:
            expect(option).to_be_disabled()
            expect(option).to_contain_text("not installed")


def test_colours_lie_exactly_behind_the_text(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    code = new_job(page, taskhub)
    code.fill("def f():\n\treturn 'x'  # done\n" + "wide = 1 " * 60 + "\n" * 40)
    expect(page.locator(".th-token-keyword").first).to_have_text("def")
    expect(page.locator(".th-token-comment")).to_have_text("# done")
    sizes = page.evaluate(
        """() => [".th-editor__paint", ".th-editor__field"].map((name) => {
          const box = document.querySelector(name)
          const look = getComputedStyle(box)
          const place = box.getBoundingClientRect()
          return [look.font, look.lineHeight, look.padding, look.tabSize, look.letterSpacing, place.x, place.y,
                  box.scrollWidth, box.scrollHeight]
        })"""
    )
    assert sizes[0] == sizes[1]
    numbers = page.locator(".th-editor__numbers").inner_text().split()
    assert (numbers[0], numbers[-1]) == ("1", "43")
