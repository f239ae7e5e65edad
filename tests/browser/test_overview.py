"""The overview is true while somebody looks at it, and each of its numbers leads to what it counts."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious
from tests.browser.jobs import job, row
from tests.support import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

WAIT = """import pathlib, time
go = pathlib.Path({go!r})
progress.percent_complete = 40
while not go.exists():
    time.sleep(0.05)
"""
SOON = 20_000


def test_a_job_comes_and_goes_without_a_reload(page, taskhub, sign_in, complaints, tmp_path):
    go = tmp_path / "go"
    sign_in(page, taskhub)
    page.evaluate("window.same = true")
    job(taskhub, "comes and goes", WAIT.format(go=str(go)), wait=0)
    panel = page.get_by_role("region", name="Running and queued")
    expect(panel.get_by_role("link", name="comes and goes")).to_be_visible(timeout=SOON)
    expect(panel.get_by_role("progressbar")).to_have_attribute("value", "40", timeout=SOON)
    expect(page.get_by_role("link", name=re.compile("Running now 1"))).to_be_visible(timeout=SOON)
    go.touch()
    expect(panel.get_by_role("link", name="comes and goes")).to_have_count(0, timeout=SOON)
    assert page.evaluate("window.same") is True
    assert serious(page) == []


def test_a_failure_is_run_again_from_the_overview(page, taskhub, sign_in, complaints):
    uuid = job(taskhub, "went wrong", "raise ValueError('no such column')")
    assert row(taskhub, uuid)["state"] == "failed"
    sign_in(page, taskhub)
    panel = page.get_by_role("region", name="Recent failures")
    expect(panel).to_contain_text("ValueError: no such column")
    panel.get_by_role("button", name="Run went wrong again").first.click()
    expect(page.locator(".th-toast")).to_contain_text("went wrong runs again, as a new job.")
    client = taskhub.client()
    wait_until(
        lambda: any(each["restarted_from"] == uuid for each in client.get("/api/v1/jobs").json()["results"]),
        timeout=10,
        message="the job runs again",
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_bar_leads_to_the_runs_it_counts(page, web, sign_in, picture, complaints, theme):
    page.emulate_media(color_scheme=theme)
    sign_in(page, web)
    for width, height, name in ((1440, 1000, "wide"), (390, 844, "phone")):
        page.set_viewport_size({"width": width, "height": height})
        picture(page, f"overview-live-{name}-{theme}")
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.get_by_role("link", name="7 d", exact=True).click()
    chart = page.get_by_role("region", name="Runs per 6 hours")
    picture(page, f"overview-week-{theme}")
    chart.get_by_text("Show as table").click()
    last = chart.get_by_role("row").filter(has_not_text=re.compile("From")).last
    counted = sum(int(cell) for cell in last.get_by_role("cell").all_inner_texts()[1:])
    last.get_by_role("link").click()
    expect(page.locator(".th-chip")).to_contain_text("Ended between")
    # A page of the list holds 50.
    expect(page.locator("#result_list tbody tr")).to_have_count(min(50, counted))
    assert serious(page) == []
