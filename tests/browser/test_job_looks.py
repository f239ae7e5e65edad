"""The pages around one job in light and dark, on a desk and on a phone: pictures, and what axe says."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.acceptance.harness import Installation
from tests.browser.accessibility import serious
from tests.browser.jobs import address, job
from tests.browser.looks import looks, too_wide

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.slow]

INDEXED = """import sys, time, pathlib
for number in range(1, 4001):
    if number % 50 == 31:
        print(f"\\x1b[1;31mERROR\\x1b[0m shard {number % 9} rejected document {number}: "
              f"\\x1b[91mmapper_parsing_exception\\x1b[0m, trying again", file=sys.stderr)
    elif number % 7 == 3:
        print(f"\\x1b[36mDEBUG\\x1b[0m flushed segment {number} <size={number * 37 % 900}KB>")
    else:
        print(f"\\x1b[32mINFO\\x1b[0m  indexed document id={number} title=\\"Quarterly report {number}\\"")
    sys.stdout.flush()
progress.percent_complete = 87
progress.status_message = "Indexing documents"
go = pathlib.Path(GO)
while not go.exists():
    time.sleep(0.1)
"""
BROKEN = """def read(path, strict):
    raise ValueError("line 1184: expected 7 columns, got 6")

print("reading orders.csv")
read("orders.csv", strict=True)
"""
WRONG = """import json

# How many orders came in, by country.
def count(rows: list[dict]) -> dict[str, int]:
    found = {}
    for row in rows:
        found[row["country"]] = found.get(row["country"], 0) + 1
    return found

count(json.loads("[]")
"""


def form(page: Any, where: Installation) -> None:
    page.goto(f"{where.address}/admin/jobs_app/job/add/")
    page.get_by_label("Code", exact=True).fill(WRONG)
    rows = page.get_by_role("group", name="Parameters as rows")
    rows.get_by_label("Parameters: key").fill("days")
    rows.get_by_label("Parameters: value").fill("7")
    page.get_by_role("button", name="Check").click()
    expect(page.locator("[data-told]")).to_have_text(re.compile("Line"))


def look_at(page: Any, picture: Any, wrong: list[tuple[str, str, object]], name: str) -> None:
    """Keep pictures of the page as it stands and note what is wrong with it."""
    for look in looks(page):
        picture(page, f"job-{name}.{look}")
        if too_wide(page):
            wrong.append((look, name, "wider than the window"))
        wrong.extend((look, name, each) for each in serious(page))


def test_every_look(
    page: Any, taskhub: Installation, sign_in: Any, picture: Any, complaints: Any, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    running = job(taskhub, "SearchReindex", INDEXED.replace("GO", repr(str(go))), wait=0)
    failed = job(taskhub, "ImportOrders", BROKEN)
    silent = job(taskhub, "Silent", "None")
    waiting = job(taskhub, "Later", "1", start=False, wait=0)
    wrong: list[tuple[str, str, object]] = []
    keep = partial(look_at, page, picture, wrong)
    sign_in(page, taskhub)

    page.goto(address(taskhub, running))
    expect(page.locator("#L4000")).to_be_attached()
    keep("running")
    page.locator("#output").evaluate("part => part.scrollIntoView()")
    page.get_by_role("searchbox", name="Find in output").fill("rejected document")
    expect(page.locator("[data-count]")).to_have_text("1 of 80")
    expect(page.locator(".th-log__found--here")).to_be_in_viewport()
    keep("found")
    page.goto(address(taskhub, failed))
    expect(page.locator("#L1")).to_be_attached()
    keep("failed")
    page.goto(address(taskhub, silent))
    expect(page.locator("[data-part=empty]")).to_have_text("This job wrote no output.")
    keep("silent")
    page.goto(address(taskhub, waiting))
    expect(page.locator(".th-why")).to_contain_text("Not started yet")
    keep("created")
    page.goto(address(taskhub, running))
    page.get_by_role("link", name="Stop…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    keep("stop")
    form(page, taskhub)
    keep("new")
    go.touch()
    assert wrong == []
