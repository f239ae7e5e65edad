"""The live channel in a real browser: the pill says how it stands, and the page ends up right."""

import pytest
from playwright.sync_api import expect

from tests.browser.jobs import address, job, row

pytestmark = [pytest.mark.browser, pytest.mark.processes]

SLOW = "import time\nfor step in range(1, 101):\n    progress.percent_complete = step\n    time.sleep(0.1)"


def test_a_page_comes_back_after_the_web_process_was_killed(page, taskhub, sign_in):
    sign_in(page, taskhub)
    uuid = job(taskhub, "slow", SLOW, wait=0)
    page.goto(address(taskhub, uuid))
    pill = page.locator("th-live-pill")
    expect(pill).to_have_text("Live")
    page.evaluate("window.same = true")
    taskhub.kill("taskhub web")
    expect(pill).not_to_have_text("Live")
    expect(pill).to_have_text("Live", timeout=40_000)
    expect(page.locator("h2 .th-badge")).to_have_text("Completed", timeout=30_000)
    assert page.evaluate("window.same"), "the page was not loaded again"
    assert row(taskhub, uuid)["state"] == "completed"


def test_a_page_without_sockets_asks_now_and_then(page, taskhub, sign_in):
    page.add_init_script(
        "window.WebSocket = class { constructor() { setTimeout(() => this.onclose({}), 0) } close() {} }"
    )
    sign_in(page, taskhub)
    uuid = job(taskhub, "polled", "import time; time.sleep(4)", wait=0)
    page.goto(address(taskhub, uuid))
    expect(page.locator("th-live-pill")).to_have_text("Polling", timeout=20_000)
    expect(page.locator("h2 .th-badge")).to_have_text("Completed", timeout=30_000)


def test_a_page_whose_user_has_signed_out_says_so_and_leads_to_the_sign_in(page, taskhub, sign_in):
    sign_in(page, taskhub)
    uuid = job(taskhub, "quick", "1")
    page.goto(address(taskhub, uuid))
    pill = page.locator("th-live-pill")
    expect(pill).to_have_text("Live")
    page.context.clear_cookies()
    taskhub.kill("taskhub web")
    expect(pill).to_have_text("Signed out", timeout=40_000)
    assert "/admin/login/?next=" in pill.get_by_role("link").get_attribute("href")


def test_a_page_that_watches_nothing_says_nothing(page, taskhub, sign_in):
    sign_in(page, taskhub)
    page.goto(f"{taskhub.address}/admin/core/setting/")
    expect(page.locator("th-live-pill")).to_have_count(1)
    expect(page.locator("th-live-pill")).to_be_hidden()
