"""Every page in light and dark, on a desk and on a phone: nothing to complain of, nothing out of the frame."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.harness import ADMIN_PASSWORD
from tests.browser.looks import looks, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.processes]

LISTS = (
    "jobs_app/job/", "jobs_app/execution/", "jobs_app/engine/", "tasks_app/task/", "tasks_app/occurrence/",
    "runspaces_app/runspace/", "runspaces_app/pool/", "core/auditentry/", "auth/user/",
)  # fmt: skip
OTHERS = (
    "", "core/setting/", "core/apitoken/", "core/apitoken/add/", "jobs_app/job/add/", "auth/user/add/",
    "auth/user/roles/", "runspaces_app/pool/languages/", "password_change/",
    "jobs_app/job/?state=created&q=nothing",
)  # fmt: skip
QUESTIONS = re.compile(r"/(stop|remove|close|revoke)/$")


def addresses(page: Any, base: str) -> list[str]:
    """The pages above, the first row of each list (three jobs, in different states), and the questions asked."""
    found = [f"{base}/admin/{path}" for path in (*LISTS, *OTHERS)]
    for path in LISTS:
        page.goto(f"{base}/admin/{path}")
        links = page.locator("#result_list tbody th a").evaluate_all("all => all.map(link => link.href)")
        found += links[: 3 if "/job/" in path else 1]
        buttons = page.locator("#result_list confirm-link a").evaluate_all(
            "all => all.map(link => link.href)"
        )
        found += [link for link in buttons[:1] if QUESTIONS.search(link)]
    return found


def name_of(address: str) -> str:
    path = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "row", address.split("/admin/", 1)[1])
    return re.sub(r"\W+", "-", path).strip("-") or "overview"


@pytest.mark.slow
def test_every_page_in_every_look(page, web, sign_in, picture, complaints):
    wrong: list[tuple[str, str, object]] = []
    sign_in(page, web)
    pages = addresses(page, web.address)
    for address in pages:
        page.goto(address)
        for look in looks(page):
            picture(page, f"{name_of(address)}.{look}")
            if too_wide(page):
                wrong.append((look, address, "wider than the window"))
    assert len(pages) > 30
    assert not wrong


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_theme_is_that_of_the_system(browser, web, theme):
    context = browser.new_context(color_scheme=theme)
    page = context.new_page()
    page.goto(f"{web.address}/admin/")
    expect(page.locator("html")).to_have_class("dark" if theme == "dark" else "")
    context.close()


def test_without_scripts_the_pages_are_there_and_work(browser, web):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{web.address}/admin/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()
    page.goto(f"{web.address}/admin/jobs_app/job/?state=created")
    page.get_by_role("button", name="Start").click()
    expect(page.get_by_role("status")).to_contain_text("is queued")
    page.goto(f"{web.address}/admin/jobs_app/job/?state=queued")
    page.get_by_role("link", name="Stop…").first.click()
    page.get_by_role("button", name="Stop the job").click()
    expect(page.get_by_role("status").filter(has_text="is stopped")).to_be_visible()
    context.close()


def test_the_keyboard_reaches_everything(page, web, sign_in, complaints):
    sign_in(page, web)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    mouse_only = page.evaluate(
        """() => [...document.querySelectorAll("[x-on\\\\:click]")]
            .filter((box) => !box.matches("button, input, a[href]") && !(box.tabIndex === 0 && box.role === "button"))
            .map((box) => box.outerHTML.slice(0, 200))"""
    )
    assert mouse_only == []
    account = page.get_by_role("button", name="Your account and the theme")
    account.focus()
    page.keyboard.press("Enter")
    dark = page.get_by_role("button", name="Dark theme")
    expect(dark).to_be_visible()
    dark.focus()
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_class("dark")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_the_menu_opens_on_a_phone(browser, web, sign_in):
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    sign_in(page, web)
    tasks = page.get_by_role("link", name="Tasks", exact=True).first
    expect(tasks).to_be_hidden()
    page.get_by_role("button", name="Show or hide the menu").first.click()
    expect(tasks).to_be_visible()
    context.close()


def test_a_filter_takes_effect_when_it_is_chosen(page, web, sign_in, complaints):
    sign_in(page, web)
    page.goto(f"{web.address}/admin/jobs_app/job/")
    page.get_by_label("State", exact=True).select_option("failed")
    page.wait_for_url("**/?state=failed")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    page.get_by_role("link", name="Remove the filter State").click()
    page.wait_for_url("**/job/?")


def test_long_output_is_shown_in_parts_without_scripts(browser, web):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{web.address}/admin/")
    page.get_by_label("User name").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{web.address}/admin/jobs_app/job/?state=running")
    page.get_by_role("link", name="Task_ImportOrders", exact=False).first.click()
    lines = page.get_by_role("region", name="Lines of the output").locator("li")
    expect(lines).to_have_count(500)
    expect(lines.last).to_have_id("L1400")
    page.get_by_role("link", name="First", exact=True).click()
    expect(lines.first).to_have_id("L1")
    page.get_by_role("link", name="Later").click()
    expect(lines.first).to_have_id("L501")
    context.close()
