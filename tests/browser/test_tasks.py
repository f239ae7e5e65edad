"""Tasks in a real browser: switched, run, watched, made, and looked at in every light."""

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.harness import Installation
from tests.browser.accessibility import serious
from tests.browser.looks import looks, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.processes]

TASKS = "/admin/tasks_app/task/"
SOON = 20_000
GREETER = {
    "name": "Greeter",
    "description": "Says hello",
    "language": "python",
    "code": "print('hello', context.parameters['who'])",
    "parameters": {"who": "world"},
    "schedule": "0 3 * * *",
}


def make(where: Installation, **fields: Any) -> int:
    answer = where.client().post("/api/v1/tasks", GREETER | fields)
    assert answer.status == 201, answer.text
    return int(answer.json()["id"])


def test_the_list_switches_runs_and_follows_while_somebody_types(page, taskhub, sign_in, complaints):
    task = make(taskhub)
    sign_in(page, taskhub)
    page.goto(f"{taskhub.address}{TASKS}")
    row = page.locator(f"tr[data-task='{task}']")
    switch = row.get_by_role("switch")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false", timeout=SOON)
    assert taskhub.client().get(f"/api/v1/tasks/{task}").json()["enabled"] is False
    page.get_by_role("button", name="Undo").click()
    expect(switch).to_have_attribute("aria-checked", "true", timeout=SOON)
    expect(row).to_contain_text("Never run")
    search = page.get_by_role("searchbox").or_(page.locator("input[name=search], input[name=q]")).first
    search.fill("half a wo")
    search.focus()
    answer = taskhub.client().post(f"/api/v1/tasks/{task}/run", {})
    assert answer.status == 202
    expect(row.locator(".th-badge").first).to_have_text("Success", timeout=SOON)
    expect(search).to_have_value("half a wo")
    expect(search).to_be_focused()
    row.get_by_role("button", name="Run Greeter now").click()
    expect(page.locator(".th-toast").filter(has_text="Greeter is queued")).to_be_visible()
    expect(row.locator(".th-run-strip rect")).to_have_count(2, timeout=SOON)


def test_a_page_runs_it_with_parameters_and_grows_without_a_reload(page, taskhub, sign_in, complaints):
    task = make(taskhub)
    client = taskhub.client()
    assert client.post(f"/api/v1/tasks/{task}/run?wait=30", {}).status == 202
    sign_in(page, taskhub)
    page.goto(f"{taskhub.address}{TASKS}{task}/change/")
    expect(page.get_by_text("At 03:00 every day").first).to_be_visible()
    runs = page.locator("details.th-run")
    expect(runs).to_have_count(1, timeout=SOON)
    runs.first.locator("summary").click()
    opened = runs.first.get_attribute("data-key")
    expect(page.get_by_text("hello world")).to_be_visible()
    assert client.post(f"/api/v1/tasks/{task}/run", {"parameters": {"who": "you"}}).status == 202
    expect(runs).to_have_count(2, timeout=SOON)
    expect(page.locator(f"details.th-run[data-key='{opened}']")).to_have_attribute("open", "")

    page.get_by_role("link", name="Run with…").click()
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url("**/jobs_app/job/**")
    expect(page.locator("#content")).to_contain_text("Completed", timeout=SOON)


def test_a_task_is_made_with_the_schedule_builder(page, taskhub, sign_in):
    sign_in(page, taskhub)
    page.goto(f"{taskhub.address}{TASKS}add/")
    page.get_by_label("Name", exact=True).fill("Nightly")
    page.locator("th-code-editor textarea").fill("print('night')")
    page.get_by_label(re.compile("cron|repeat|by a schedule|again and again", re.I)).first.check()
    cron = page.locator("#id_schedule")
    cron.fill("61 2 * * *")
    expect(page.locator("th-cron-builder")).to_contain_text(re.compile("inute"), timeout=SOON)
    page.get_by_role("button", name="Daily 02:00").click()
    expect(cron).to_have_value("0 2 * * *")
    expect(page.locator("[data-words]")).to_contain_text("02:00", timeout=SOON)
    expect(page.locator("[data-runs] li")).to_have_count(5)
    page.get_by_role("button", name="Create the task").click()
    expect(page.get_by_role("heading", name="Nightly", exact=True)).to_be_visible()
    page.goto(f"{taskhub.address}{TASKS}")
    expect(page.get_by_role("link", name="Nightly", exact=True)).to_be_visible()


def test_the_pages_of_tasks_can_be_read_by_everybody(page, taskhub, sign_in, picture):
    task = make(taskhub)
    client = taskhub.client()
    client.post(f"/api/v1/tasks/{task}/run?wait=30", {})
    make(taskhub, name="Breaks", language="shell", code="echo broken >&2; exit 3", parameters={})
    client.post(f"/api/v1/tasks/{task + 1}/run?wait=30", {})
    places = {
        "list": TASKS,
        "page": f"{TASKS}{task}/change/",
        "edit": f"{TASKS}{task}/edit/",
        "run": f"{TASKS}{task}/run/",
    }
    sign_in(page, taskhub)
    for name, place in places.items():
        page.goto(f"{taskhub.address}{place}")
        page.wait_for_load_state("networkidle")
        for look in looks(page):
            picture(page, f"tasks-{name}.{look}")
            assert serious(page) == [], (name, look)
            assert not too_wide(page), (name, look)
