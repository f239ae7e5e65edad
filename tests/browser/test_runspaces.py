"""The pages of runspaces are true while somebody looks at them, and closing one needs its id typed."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious
from tests.browser.jobs import job, row
from tests.browser.looks import looks, too_wide
from tests.support import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

LIST = "/admin/runspaces_app/runspace/"
WAIT = """import pathlib, time
go = pathlib.Path({go!r})
while not go.exists():
    time.sleep(0.05)
"""
HOSTILE = "<img src=x onerror=alert(1)> {{ 7|add:7 }}"
SOON = 20_000


def runspace_of(taskhub, uuid):
    """The runspace in which a job is seen to run."""
    return wait_until(
        lambda: next(
            (r for r in taskhub.client().get("/api/v1/runspaces").json()["results"] if r["job"] == uuid), None
        ),
        timeout=20,
        message="the job runs",
    )


def test_the_list_and_a_page_follow_to_the_end(page, taskhub, sign_in, complaints, tmp_path, picture):
    go = tmp_path / "go"
    sign_in(page, taskhub)
    page.goto(taskhub.address + LIST)
    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(2, timeout=SOON)
    page.evaluate("window.same = true")
    names = ("goes down from the list", "goes down from its page", HOSTILE)
    first, second, _ = [job(taskhub, name, WAIT.format(go=str(go)), wait=0) for name in names]
    busy = rows.filter(has_text="busy")
    expect(busy).to_have_count(2, timeout=SOON)
    expect(page.locator("[data-count=busy]")).to_have_text("3", timeout=SOON)
    # More were opened since; they do not push themselves in.
    new = page.get_by_role("button", name=re.compile(r"\d new runspaces?, show"))
    expect(new).to_be_visible(timeout=SOON)
    expect(rows).to_have_count(2)
    new.click()
    expect(busy).to_have_count(3)
    expect(busy.get_by_role("link", name=HOSTILE)).to_be_visible()
    the_limit_sinks(page, taskhub)
    close_from_the_list(page, taskhub, first)
    assert page.evaluate("window.same") is True
    key = runspace_of(taskhub, second)["id"]
    page.goto(f"{taskhub.address}{LIST}{key}/change/")
    look_at_the_page(page, picture)
    close_from_its_page(page, key)
    go.touch()


def the_limit_sinks(page, taskhub):
    """What is now too heavy is said so at once, in words, above the list and in its rows."""
    client = taskhub.client()
    assert client.patch("/api/v1/settings/memory_warning_mb", {"value": 1}).status == 200
    expect(page.get_by_role("list", name="Worth a look")).to_contain_text("Over 1 MB", timeout=30_000)
    expect(page.locator("#result_list").get_by_text("Over 1 MB").first).to_be_visible(timeout=30_000)
    for look in looks(page):
        assert serious(page) == [] and not too_wide(page), look


def close_from_the_list(page, taskhub, uuid):
    """By keys alone; the list stays, and its row tells the end."""
    key = runspace_of(taskhub, uuid)["id"]
    ours = page.locator(f"tr[data-runspace='{key}']")
    ours.get_by_role("link", name="Force close…").press("Enter")
    dialog = page.get_by_role("dialog", name=f"Force close runspace {key}?")
    field = dialog.get_by_label(f"Type {key} to confirm")
    expect(field).to_be_focused()
    field.press_sequentially(f"{key}0")
    field.press("Enter")
    expect(dialog).to_be_visible()
    field.press("Backspace")
    field.press("Enter")
    told = f"Runspace {key} is told to close; the job goes down from the list, which it runs, ends with it."
    expect(page.locator(".th-toast")).to_contain_text(told)
    expect(ours.locator(".th-badge")).to_have_text("Closed", timeout=SOON)
    expect(ours).to_contain_text("Closed by a person")
    assert row(taskhub, uuid)["state"] != "running"
    # It stays where it was until somebody asks for the list as it is now.
    page.get_by_role(
        "button", name=re.compile("runspaces? no longer listed here|new runspaces?, show")
    ).click()
    expect(ours).to_have_count(0)


def look_at_the_page(page, picture):
    facts = page.get_by_role("region", name="Facts")
    expect(facts.get_by_role("link", name="goes down from its page")).to_be_visible()
    # It is measured every 15 s; the chart comes with the first measurement, and the table tells the same.
    memory = page.get_by_role("region", name="Memory")
    expect(memory.get_by_role("img", name=re.compile("last 1 h, at most .* MB"))).to_be_visible(
        timeout=40_000
    )
    memory.get_by_role("link", name="24 h").click()
    expect(memory.get_by_role("link", name="24 h")).to_have_attribute("aria-current", "true")
    expect(memory.get_by_role("img", name=re.compile("last 24 h, at most .* MB"))).to_be_visible()
    memory.get_by_text("Show as table").click()
    expect(memory.get_by_role("row").nth(1)).to_contain_text("MB")
    for look in looks(page):
        picture(page, f"runspace-live.{look}")
        assert serious(page) == [] and not too_wide(page), look


def close_from_its_page(page, key):
    """The button of the question goes on only while the id is typed exactly."""
    opener = page.get_by_role("link", name="Force close…")
    opener.press("Enter")
    dialog = page.get_by_role("dialog", name=f"Force close runspace {key}?")
    expect(dialog).to_contain_text("end the job goes down from its page, which it runs")
    assert serious(page, ["dialog"]) == []
    sure = dialog.get_by_role("button", name="Force close")
    field = dialog.get_by_label(f"Type {key} to confirm")
    for typed, ready in ((f"{key}1", False), (f" {key}", False), (f"{key}", True), ("", False)):
        field.fill(typed)
        expect(sure).to_be_enabled(enabled=ready)
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    opener.press("Enter")
    field.fill(str(key))
    field.press("Enter")
    ends = "the job goes down from its page, which it runs, ends with it"
    expect(page.get_by_role("status").filter(has_text=ends)).to_be_visible()
    page.evaluate("window.same = true")
    expect(page.locator("h2 .th-badge")).to_have_text("Closed", timeout=SOON)
    expect(page.locator("[data-part=told]")).to_contain_text("The job goes down from its page ended with it.")
    happened = page.get_by_role("region", name="What happened").get_by_role("listitem")
    expect(happened.filter(has_text="Asked to close")).to_contain_text("By admin")
    expect(happened.last).to_contain_text("Closed by a person")
    expect(opener).to_have_count(0)
    assert page.evaluate("window.same") is True
