"""The list of jobs stays true while it is open, and takes nothing out of its reader's hands."""

import pytest
from playwright.sync_api import expect

from tests.acceptance.harness import Installation
from tests.browser.accessibility import serious
from tests.browser.jobs import job

pytestmark = [pytest.mark.browser, pytest.mark.processes]

WAIT = """import pathlib, time
go = pathlib.Path({go!r})
progress.percent_complete = 40
while not go.exists():
    time.sleep(0.05)
"""
SOON = 20_000


def address(where: Installation) -> str:
    return f"{where.address}/admin/jobs_app/job/"


def test_rows_change_in_place_while_selection_and_focus_stay(page, taskhub, sign_in, complaints, tmp_path):
    go = tmp_path / "go"
    sign_in(page, taskhub)
    first = job(taskhub, "first", WAIT.format(go=str(go)), wait=0)
    page.goto(address(taskhub))
    row = page.locator(f"tr[data-job='{first}']")
    expect(row.get_by_role("progressbar")).to_have_attribute("value", "40", timeout=SOON)
    tick = row.get_by_role("checkbox", name="Select first")
    tick.check()
    tick.focus()
    go.touch()
    expect(row.locator(".th-badge")).to_have_text("Completed", timeout=SOON)
    expect(tick).to_be_checked()
    expect(tick).to_be_focused()
    # What is new waits until nothing is ticked, and then until somebody asks for it.
    job(taskhub, "second", "1")
    new = page.get_by_role("button", name="1 new job, show")
    expect(new).to_be_hidden()
    tick.uncheck()
    expect(new).to_be_visible(timeout=SOON)
    expect(page.get_by_role("link", name="second", exact=True)).to_have_count(0)
    new.click()
    expect(page.get_by_role("link", name="second", exact=True)).to_be_visible()
    assert serious(page) == []


def test_a_job_is_stopped_from_its_row(page, taskhub, sign_in, complaints, tmp_path):
    sign_in(page, taskhub)
    uuid = job(taskhub, "to be stopped", WAIT.format(go=str(tmp_path / "never")), wait=0)
    page.goto(address(taskhub))
    row = page.locator(f"tr[data-job='{uuid}']")
    row.get_by_role("link", name="Stop…").click()
    page.get_by_role("dialog").get_by_role("button", name="Stop the job").click()
    expect(page.locator(".th-toast")).to_contain_text("asked to stop")
    expect(row.locator(".th-badge")).to_have_text("Stopped", timeout=SOON)
    row.get_by_role("checkbox").check()
    bulk = page.locator(".th-bulk")
    bulk.get_by_role("button", name="Stop…").click()
    dialog = page.get_by_role("dialog", name="There is nothing to stop")
    expect(dialog).to_contain_text("1 has ended and is left as it is.")
    assert serious(page, [".th-dialog"]) == []
    dialog.get_by_role("link", name="Back").click()
    expect(bulk.get_by_role("button", name="Stop…")).to_be_focused()
    bulk.get_by_role("button", name="Remove finished…").click()
    dialog = page.get_by_role("dialog", name="Remove 1 job?")
    dialog.get_by_role("link", name="Keep them").click()
    row.get_by_role("checkbox").uncheck()
    row.get_by_role("link", name="Remove to be stopped…").click()
    page.get_by_role("dialog").get_by_role("button", name="Remove the job").click()
    expect(page.locator(".th-toast").last).to_contain_text("The job is removed; its history stays.")
    expect(row).to_have_attribute("data-gone", "", timeout=SOON)
    assert taskhub.client().get(f"/api/v1/jobs/{uuid}").status == 404
