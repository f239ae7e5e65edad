"""Everything by keys: lists, the log, the list of keys and its switch, the palette, and what a role finds."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.harness import ADMIN_PASSWORD
from tests.browser.accessibility import serious

pytestmark = [pytest.mark.browser, pytest.mark.processes]

JOBS = "/admin/jobs_app/job/"
SOON = 20_000
VIEWER = """
from taskhub.core import roles
from tests.support import make_user
roles.create_roles()
for name, role in (("vera", "viewer"), ("nora", None)):
    user = make_user(name, role=role)
    user.is_staff = True
    user.set_password({password!r})
    user.save()
"""


def keys(page: Any, *pressed: str) -> None:
    for each in pressed:
        page.keyboard.press(each)


def test_a_list_is_worked_through_without_a_mouse(page, web, sign_in, complaints):
    sign_in(page, web)
    keys(page, "g", "j")
    page.wait_for_url("**/jobs_app/job/")
    names = page.locator("#result_list .th-cell-name")
    keys(page, "j", "j", "k", "j")
    expect(names.nth(1)).to_be_focused()
    keys(page, "x")
    ticks = page.locator("#result_list .th-tick-box")
    expect(ticks.nth(1)).to_be_checked()
    expect(page.locator(".th-bulk")).to_contain_text("1 selected")
    assert serious(page) == []
    # Stop asks; nothing is stopped by a key alone, and no key works behind the question.
    keys(page, "s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Stop")
    keys(page, "j")
    expect(dialog.get_by_role("link", name=re.compile("Keep it"))).to_be_focused()
    keys(page, "Escape")
    expect(dialog).to_have_count(0)
    # What is typed into a field is text, and modifiers belong to the browser.
    keys(page, "/")
    search = page.get_by_label("Search by name or id")
    expect(search).to_be_focused()
    page.keyboard.type("jk?x gt")
    expect(search).to_have_value("jk?x gt")
    expect(page.get_by_role("dialog")).to_have_count(0)
    search.fill("")
    search.blur()
    keys(page, "j", "Shift+X", "Control+x", "Enter")
    page.wait_for_url("**/change/")


def test_the_list_of_keys_is_that_of_the_page_and_switches_them_off(page, web, sign_in, complaints):
    sign_in(page, web)
    page.goto(f"{web.address}{JOBS}?q=nightly-export")
    keys(page, "j", "Enter")
    page.wait_for_url("**/change/")
    expect(page.locator("log-view input[name=wrap]")).to_be_visible()
    keys(page, "?")
    dialog = page.get_by_role("dialog", name="Keys of this page")
    expect(dialog.locator("dt")).to_contain_text(["/", "r", "w", "g", "g", "g", "g", "?", "Ctrl+K"])
    expect(dialog).not_to_contain_text("Stop")
    assert serious(page, [".th-keys"]) == []
    dialog.get_by_label("Single keys work").uncheck()
    keys(page, "Escape")
    expect(dialog).to_have_count(0)
    page.reload()
    expect(page.locator("log-view input[name=wrap]")).to_be_visible()
    keys(page, "w", "?", "g", "j")
    expect(page.locator("log-view input[name=wrap]")).not_to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Keys of this page").click()
    dialog.get_by_label("Single keys work").check()
    keys(page, "Escape")
    expect(dialog).to_have_count(0)
    keys(page, "w")
    expect(page.locator("log-view input[name=wrap]")).to_be_checked()
    # The page's own buttons: run again, which leads to the new job, and stop, which asks.
    ended = page.url
    keys(page, "r")
    page.wait_for_url(lambda address: address != ended)
    expect(page.locator("h2 .th-badge")).to_have_text("Queued")
    keys(page, "s")
    expect(page.get_by_role("dialog")).to_contain_text("Stop")


def found(page: Any) -> Any:
    return page.get_by_role("option")


def test_the_palette_finds_and_runs_by_keys_alone(page, taskhub, sign_in, complaints, picture):
    body = {"name": "Greeter", "language": "python", "code": "print('hello')"}
    assert taskhub.client().post("/api/v1/tasks", body).status == 201
    sign_in(page, taskhub)
    keys(page, "Control+k")
    field = page.get_by_role("combobox", name="Find a page, task, job or runspace")
    expect(field).to_be_focused()
    page.keyboard.type("greet")
    expect(found(page).first).to_have_text(re.compile("Task.*Greeter"))
    expect(found(page).nth(1)).to_have_text(re.compile("Run Greeter"))
    for theme in ("light", "dark"):
        page.evaluate("dark => document.documentElement.classList.toggle('dark', dark)", theme == "dark")
        picture(page, f"palette-{theme}")
        assert serious(page, [".th-palette", ".th-top"]) == [], theme
    keys(page, "ArrowDown")
    chosen = page.locator("[role=option][aria-selected=true]")
    expect(chosen).to_contain_text("Run Greeter")
    assert field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    keys(page, "Enter")
    page.wait_for_url("**/jobs_app/job/*/change/")
    expect(page.locator("h2 .th-badge")).to_have_text("Completed", timeout=SOON)
    keys(page, "Control+k")
    page.keyboard.type("runspace 1")
    expect(found(page).filter(has_text="Runspace 1").first).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("Task_Greeter")
    expect(found(page).first).to_have_text(re.compile("Job.*Task_Greeter"))
    page.keyboard.press("Control+a")
    page.keyboard.type("nothing is called so")
    expect(page.locator(".th-palette [role=status]")).to_have_text("Nothing found")
    keys(page, "Escape")
    expect(field).to_be_hidden()
    keys(page, "Control+k")
    page.keyboard.type("pools")
    expect(found(page)).to_have_count(1)
    keys(page, "Enter")
    page.wait_for_url("**/runspaces_app/pool/")


def test_a_role_finds_nothing_it_may_not_see(page, web, complaints):
    made = web.manage("shell", "-c", VIEWER.format(password=ADMIN_PASSWORD))
    assert made.returncode == 0, made.stderr
    for name, word, seen in (
        ("vera", "ImportOrders", ["Task", "Job", "Job"]),
        ("vera", "settings", []),
        ("nora", "ImportOrders", []),
        ("nora", "runspace", []),
    ):
        page.context.clear_cookies()
        page.goto(f"{web.address}/admin/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(ADMIN_PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        keys(page, "Control+k")
        page.keyboard.type(word)
        expect(page.locator(".th-palette [role=status]")).to_have_text(
            f"{len(seen)} found" if seen else "Nothing found"
        )
        assert page.locator(".th-palette__kind").all_inner_texts() == seen, (name, word)
