"""The page of a job stays true while somebody looks at it: states, stop, retries, a web process that dies."""

import re

import pytest
from playwright.sync_api import expect

from tests.acceptance.harness import Installation
from tests.browser.accessibility import serious
from tests.browser.jobs import address, job, row
from tests.support import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

STEPS = """import pathlib, time
go = pathlib.Path({go!r})
print("begun", flush=True)
progress.percent_complete = 42
progress.status_message = "half way"
while not go.exists():
    time.sleep(0.05)
print("and on")
"""
STUBBORN = """import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("begun", flush=True)
while True:
    try:
        time.sleep(600)
    except BaseException:
        pass
"""
TICKER = """import pathlib, time
go = pathlib.Path({go!r})
number = 0
while not go.exists():
    number += 1
    print("tick", number, flush=True)
    progress.percent_complete = min(99, number)
    time.sleep(0.02)
raise ValueError("that was all")
"""
BADGE = "h2 .th-badge"


def until_state(where: Installation, uuid: str, state: str) -> None:
    wait_until(lambda: row(where, uuid)["state"] == state, timeout=60, message=f"the job is {state}")


def test_the_page_goes_with_the_job_from_start_to_end(page, taskhub, sign_in, complaints, tmp_path):
    go = tmp_path / "go"
    sign_in(page, taskhub)
    uuid = job(taskhub, "steps", STEPS.format(go=str(go)), wait=0)
    page.goto(address(taskhub, uuid))
    expect(page.locator(BADGE)).to_have_text("Running")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "42")
    expect(page.locator(".th-progress__message")).to_have_text("half way")
    took = page.locator(".th-facts elapsed-time")
    before = took.inner_text()
    expect(took).not_to_have_text(before)
    details = page.get_by_text("Code, parameters and environment")
    details.click()
    page.locator(".th-log").focus()
    go.touch()
    expect(page.locator(BADGE)).to_have_text("Completed")
    expect(page.locator("#L2")).to_have_text(re.compile("and on"))
    expect(page.get_by_role("link", name="Attempt 1", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Run again")).to_be_visible()
    expect(page.get_by_role("link", name="Stop…")).to_have_count(0)
    expect(page.locator("[data-told]")).to_have_text("steps is now completed.")
    # What somebody opened stays open, and the focus where it was.
    expect(page.locator("details")).to_have_attribute("open", "")
    expect(page.locator(".th-log")).to_be_focused()
    assert serious(page) == []


def test_why_a_job_waits_is_told_with_how_many_are_ahead(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    client = taskhub.client()
    most = client.get("/api/v1/pools/default").json()["max_runspaces"]
    busy = [job(taskhub, f"busy {number}", "import time; time.sleep(600)", wait=0) for number in range(most)]
    for each in busy:
        until_state(taskhub, each, "running")
    ahead = [job(taskhub, f"ahead {number}", "1", wait=0) for number in range(2)]
    last = job(taskhub, "last", "1", wait=0)
    page.goto(address(taskhub, last))
    why = page.locator(".th-why")
    expect(why).to_have_text(re.compile(r"Waiting for a free runspace of the pool default \(\d ahead\)\."))
    for each in ahead:
        client.post(f"/api/v1/jobs/{each}/cancel", {})
    expect(why).to_contain_text("(0 ahead)", timeout=15_000)
    client.post(f"/api/v1/jobs/{busy[0]}/cancel", {})
    expect(page.locator(BADGE)).to_have_text("Completed", timeout=20_000)
    expect(why).to_have_count(0)


def test_stop_and_then_kill_now_without_leaving_the_page(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    client = taskhub.client()
    assert client.call("PATCH", "/api/v1/pools/default", {"grace_seconds": 120}).status == 200
    uuid = job(taskhub, "stubborn", STUBBORN, wait=0, language="python")
    page.goto(address(taskhub, uuid))
    expect(page.locator("#L1")).to_have_text(re.compile("begun"))
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Stop…").click()
    dialog = page.get_by_role("dialog", name="Stop stubborn?")
    expect(dialog.get_by_role("link", name="Keep it running")).to_be_focused()
    assert serious(page, ["dialog"]) == []
    dialog.get_by_role("button", name="Stop the job").click()
    expect(page.locator(BADGE)).to_have_text("Stopping")
    expect(page.locator(".th-why")).to_contain_text("Stopping… admin asked it to stop")
    page.get_by_role("link", name="Kill now…").click()
    dialog = page.get_by_role("dialog", name="Kill stubborn now?")
    expect(dialog.get_by_role("checkbox")).to_be_checked()
    dialog.get_by_role("button", name="Kill it now").click()
    expect(page.locator(BADGE)).to_have_text("Stopped", timeout=15_000)
    expect(page.locator(".th-line")).to_contain_text("somebody stopped it")
    assert page.evaluate("window.same") is True
    page.get_by_role("button", name="Run again").click()
    page.wait_for_url(lambda url: uuid not in url)
    expect(page.locator(".th-facts")).to_contain_text("Runs again")


def test_a_stop_that_comes_too_late_says_the_state(page, taskhub, sign_in, tmp_path):
    go = tmp_path / "go"
    sign_in(page, taskhub)
    uuid = job(taskhub, "late", STEPS.format(go=str(go)), wait=0)
    page.goto(address(taskhub, uuid))
    page.get_by_role("link", name="Stop…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    go.touch()
    until_state(taskhub, uuid, "completed")
    dialog.get_by_role("button", name="Stop the job").click()
    told = page.locator("[data-told]")
    expect(told).to_have_text("It had ended before it could be stopped.")
    expect(page.locator(BADGE)).to_have_text("Completed")
    # The news that it has completed does not take away why the stop did nothing.
    expect(told).to_have_text("It had ended before it could be stopped.")
    expect(told).to_have_class("th-form__errors")
    expect(dialog).to_have_count(0)


@pytest.mark.slow
def test_attempts_are_tabs_and_the_newest_is_followed(page, taskhub, sign_in, complaints):
    sign_in(page, taskhub)
    code = "import time\nprint('attempt', context.attempt, flush=True)\ntime.sleep(1.5)\nraise ValueError('again')"
    again = {"name": "Retried", "code": code, "retry": {"max_attempts": 2, "backoff": 1}}
    task = taskhub.client().post("/api/v1/tasks", again).json()["id"]
    uuid = taskhub.client().post(f"/api/v1/tasks/{task}/run", {}).json()["uuid"]
    page.goto(address(taskhub, uuid))
    expect(page.locator("#L1")).to_have_text(re.compile("attempt 1"))
    expect(page.locator("#L1")).to_have_text(re.compile("attempt 2"), timeout=60_000)
    expect(page.locator(BADGE)).to_have_text("Failed", timeout=20_000)
    tabs = page.get_by_role("navigation", name="Attempts")
    expect(tabs.get_by_role("link", name="Attempt 2")).to_have_attribute("aria-current", "true")
    tabs.get_by_role("link", name="Attempt 1").click()
    expect(page.locator("#L1")).to_have_text(re.compile("attempt 1"))


@pytest.mark.slow
def test_the_web_process_dies_under_an_open_page(page, taskhub, sign_in, tmp_path):
    go = tmp_path / "go"
    sign_in(page, taskhub)
    uuid = job(taskhub, "ticker", TICKER.format(go=str(go)), wait=0)
    page.goto(address(taskhub, uuid))
    expect(page.locator("#L20")).to_be_attached()
    page.evaluate("window.same = true")
    taskhub.kill("taskhub web")
    taskhub.named("taskhub web")
    go.touch()
    expect(page.locator(BADGE)).to_have_text("Failed", timeout=60_000)
    told = row(taskhub, uuid)
    last = told["output"]["lines"]
    lines = taskhub.client().get(f"/api/v1/jobs/{uuid}/output", line=1, lines=10_000).json()["lines"]
    expect(page.locator(f"#L{last}")).to_be_attached(timeout=30_000)
    expect(page.get_by_role("region", name="Error", exact=True)).to_contain_text("that was all")
    expect(page.locator("[data-part=size]")).to_contain_text(f"{last:,} line")
    shown = page.locator(".th-log li").all_inner_texts()
    expected = [f"{each['number']}{each['text']}" for each in lines]
    assert [text.replace("\n", "") for text in shown] == expected[-len(shown) :]
    assert page.evaluate("window.same") is True


def test_a_job_removed_elsewhere_says_so(page, taskhub, sign_in):
    sign_in(page, taskhub)
    uuid = job(taskhub, "short", "print('done')")
    page.goto(address(taskhub, uuid))
    expect(page.locator("#L1")).to_be_attached()
    assert taskhub.client().delete(f"/api/v1/jobs/{uuid}").status == 204
    expect(page.locator("[data-told]")).to_have_text("This job was removed. Its history stays.")
    expect(page.locator(".th-head").get_by_role("button")).to_have_count(0)
    expect(page.locator(".th-head").get_by_role("link")).to_have_count(0)
