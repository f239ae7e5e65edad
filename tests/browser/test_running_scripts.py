"""A person signs in, runs a script, sees what came of it, stops another: in a real browser."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.processes]

HELLO = """import sys
print("\\x1b[32mhello\\x1b[0m from a script")
print("and <b>this</b> is an error line", file=sys.stderr)
{"answer": 42}
"""
LONG = "import time\nprint('begun', flush=True)\ntime.sleep(600)"


def create(
    page: Any, name: str, code: str, button: str = "Create and start", language: str = "Python"
) -> None:
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Language").select_option(label=language)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name=button, exact=True).click()
    page.wait_for_url("**/change/")


def until_state(page: Any, state: str) -> None:
    """The page itself comes to say so."""
    expect(page.locator("h2 .th-badge")).to_have_text(state, timeout=30_000)


@pytest.fixture
def taskhub(shared):
    return shared


def test_create_and_start_a_script_and_see_what_came_of_it(page, taskhub, sign_in, complaints, picture):
    sign_in(page, taskhub)
    create(page, "greeting", HELLO)
    until_state(page, "Completed")
    lines = page.get_by_role("region", name="Lines of the output").locator("li")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("hello from a script")
    expect(lines.nth(0).locator(".th-ansi-32")).to_have_text("hello")
    expect(lines.nth(1)).to_contain_text("and <b>this</b> is an error line")
    expect(lines.nth(1)).to_have_class("th-log__err")
    expect(page.locator("#result")).to_have_text(re.compile(r'"answer": 42'))
    picture(page, "job-completed")
    page.get_by_role("link", name="Jobs", exact=True).first.click()
    expect(page.locator("#result_list")).to_contain_text("greeting")


def test_a_failing_script_shows_its_traceback(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    create(page, "broken", "def f():\n    raise ValueError('no such order')\n\nf()")
    until_state(page, "Failed")
    panel = page.get_by_role("region", name="Error", exact=True)
    expect(panel).to_contain_text("ValueError")
    expect(panel).to_contain_text("no such order")
    expect(panel.locator("pre")).to_contain_text("line 2, in f")


def test_a_shell_script_with_progress_and_a_start_by_hand(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    create(page, "by hand", "echo one; echo two >&2; exit 0", button="Create", language="Shell")
    expect(page.locator("h2 .th-badge")).to_have_text("Created")
    page.get_by_role("button", name="Start").click()
    until_state(page, "Completed")
    page.get_by_role("link", name="Errors").click()
    expect(page.get_by_role("region", name="Lines of the output").locator("li")).to_have_text(
        re.compile("two")
    )


def test_stop_asks_first_and_then_stops(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    create(page, "endless", LONG)
    until_state(page, "Running")
    stop = page.get_by_role("link", name="Stop…")
    stop.click()
    dialog = page.get_by_role("dialog", name="Stop endless?")
    expect(dialog.get_by_role("link", name="Keep it running")).to_be_focused()
    dialog.get_by_role("link", name="Keep it running").click()
    expect(dialog).to_have_count(0)
    expect(stop).to_be_focused()
    stop.click()
    dialog.get_by_role("button", name="Stop the job").click()
    # The end follows so closely that it may be told before anybody has read that it was asked for.
    expect(page.locator("job-page [data-told]")).to_have_text(
        re.compile(r"endless (was asked to stop|is now stopped)\.")
    )
    until_state(page, "Stopped")


def test_code_that_does_not_compile_is_said_at_the_field(page, taskhub, sign_in):
    sign_in(page, taskhub)
    page.get_by_role("link", name="New job").click()
    page.get_by_label("Code", exact=True).fill("1 +")
    page.get_by_role("button", name="Create", exact=True).click()
    code = page.get_by_label("Code", exact=True)
    expect(code).to_have_attribute("aria-invalid", "true")
    expect(code).to_have_value("1 +")
    expect(page.locator("#id_code_error")).to_contain_text("invalid syntax")
