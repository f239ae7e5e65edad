"""The overview is true while somebody looks at it, and each of its numbers leads to what it counts."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.accessibility import serious
from tests.browser.conftest import rename_table
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


def test_a_panel_whose_source_fails_says_so_and_is_tried_again(page, web, sign_in, picture):
    sign_in(page, web)
    page.evaluate("window.same = true")
    panels = {
        name: page.get_by_role("region", name=name)
        for name in ("Runs per hour", "Recent failures", "Running and queued", "Next runs", "Alerts")
    }
    rename_table(web, "jobs_app_execution", "put_away")
    for name in ("Runs per hour", "Recent failures"):
        expect(panels[name]).to_contain_text("Could not load.", timeout=SOON)
    for name, words in (
        ("Running and queued", "next in line"), ("Next runs", "MachinePulse"), ("Alerts", "Runspace"),
    ):  # fmt: skip
        expect(panels[name]).to_contain_text(words)
        expect(panels[name]).not_to_contain_text("Could not load")
    picture(page, "overview-not-all")
    assert serious(page) == []
    rename_table(web, "put_away", "jobs_app_execution")
    # On a busy machine the page hears of the table's return, and tries by itself, before a click gets there.
    page.evaluate("""document.querySelector("[aria-label='Recent failures'] [data-retry]")?.click()""")
    for panel in panels.values():
        expect(panel).not_to_contain_text("Could not load", timeout=SOON)
    expect(panels["Recent failures"]).to_contain_text("ValueError")
    assert page.evaluate("window.same") is True


def test_a_banner_stands_while_no_engine_beats(page, installation, sign_in):
    installation.spawn("serve", "--port", str(installation.port))
    wait_until(lambda: "Serving at" in installation.printed(), timeout=60, message="the web serves")
    sign_in(page, installation)
    page.evaluate("window.same = true")
    banner = page.get_by_role("alert").filter(has_text="No engine is running, so nothing starts.")
    expect(banner).to_contain_text("The last sign of life came")
    expect(banner.locator("code").first).to_have_text("taskhub up")
    engine = installation.start_engine()
    expect(banner).to_have_count(0, timeout=SOON)
    installation.stop(engine)
    expect(banner).to_be_visible(timeout=SOON)
    assert page.evaluate("window.same") is True


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_bar_leads_to_the_runs_it_counts(page, web, sign_in, picture, complaints, theme):
    page.emulate_media(color_scheme=theme)
    sign_in(page, web)
    for width, height, name in ((1440, 1000, "wide"), (390, 844, "phone")):
        page.set_viewport_size({"width": width, "height": height})
        picture(page, f"overview-live-{name}-{theme}")
        # High enough to tell the bars apart, however narrow.
        assert page.locator(".th-chart").bounding_box()["height"] >= 160
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.get_by_role("link", name="7 d", exact=True).click()
    chart = page.get_by_role("region", name="Runs per 6 hours")
    picture(page, f"overview-week-{theme}")
    chart.get_by_text("Show as table").click()
    last = chart.get_by_role("row").filter(has_not_text=re.compile("From")).last
    counted = sum(int(cell) for cell in last.get_by_role("cell").all_inner_texts()[1:])
    last.get_by_role("link").first.click()
    expect(page.locator(".th-chip")).to_contain_text("Ended between")
    # A page of the list holds 50.
    expect(page.locator("#result_list tbody tr")).to_have_count(min(50, counted))
    assert serious(page) == []
