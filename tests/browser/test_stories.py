"""Stories of people before open pages, from the first start to the last right taken away."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import pytest_django
from playwright.sync_api import expect

from tests.acceptance.harness import ADMIN_PASSWORD, Installation
from tests.acceptance.people import PASSWORD, People, people_of
from tests.browser.accessibility import serious
from tests.browser.jobs import address, job, row
from tests.support import wait_until

pytestmark = [pytest.mark.browser, pytest.mark.processes]

SOON = 20_000
TASKS = "/admin/tasks_app/task/"
WAIT = """import pathlib, time
go = pathlib.Path({go!r})
progress.percent_complete = 40
while not go.exists():
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def shared(shared_installation: Installation) -> Installation:
    """`up` for all stories of this file; rights that pages lose are missed within a second."""
    shared_installation.environment["DJANGO_SETTINGS_MODULE"] = "tests.acceptance.quick_checks"
    shared_installation.start()
    return shared_installation


@pytest.fixture
def people(shared: Installation, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[People]:
    with people_of(shared, django_db_blocker) as made:
        yield made


@pytest.fixture
def enter(browser: Any, shared: Installation) -> Iterator[Callable[..., Any]]:
    """A page of a browser of its own, with somebody signed in."""
    contexts = []

    def open_as(name: str, password: str = PASSWORD) -> Any:
        contexts.append(browser.new_context(viewport={"width": 1440, "height": 900}))
        page = contexts[-1].new_page()
        page.goto(f"{shared.address}/admin/")
        page.get_by_label("User name").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")
        return page

    yield open_as
    for context in contexts:
        context.close()


def make_task(where: Installation, name: str, **more: Any) -> int:
    body = {"name": name, "language": "python", "code": "print('done')", "schedule": "0 3 1 1 *"} | more
    answer = where.client().post("/api/v1/tasks", body)
    assert answer.status == 201, answer.text
    return int(answer.json()["id"])


def test_from_the_first_start_to_the_first_finished_script(page, taskhub, sign_in, complaints, picture):
    """Nothing but the pages: what an empty installation says next leads to a result."""
    sign_in(page, taskhub)
    steps = page.get_by_role("region", name="First steps")
    expect(steps).to_be_visible()
    expect(page.get_by_role("region", name="Running and queued")).to_contain_text("Nothing is running.")
    picture(page, "story-first-start")
    assert serious(page) == []
    for list_of in ("Jobs", "Tasks", "History"):
        page.get_by_role("link", name=list_of, exact=True).first.click()
        expect(page.locator(".th-empty").first).to_be_visible()
    page.get_by_role("link", name="Overview", exact=True).first.click()
    steps.get_by_role("link", name="Paste some Python or shell").click()
    page.get_by_label("Name").fill("the first one")
    page.get_by_label("Code", exact=True).fill("print('it runs')\n{'answer': 42}")
    page.get_by_role("button", name="Create and start", exact=True).click()
    page.wait_for_url("**/change/")
    expect(page.locator("h2 .th-badge")).to_have_text("Completed", timeout=SOON)
    expect(page.get_by_role("region", name="Lines of the output")).to_contain_text("it runs")
    expect(page.locator("#result")).to_contain_text('"answer": 42')
    page.get_by_role("link", name="Overview", exact=True).first.click()
    expect(steps).to_have_count(0)
    expect(page.get_by_role("region", name="Runs per hour")).to_be_visible()
    page.get_by_role("link", name="History", exact=True).first.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    expect(page.locator("#result_list")).to_contain_text("the first one")


def test_a_run_by_the_clock_comes_to_open_pages_by_itself(shared, people, enter, tmp_path):
    go = tmp_path / "go"
    task = make_task(shared, "Ticker", code=WAIT.format(go=str(go)), schedule="0 3 * * *")
    overview, of_task = enter("admin", ADMIN_PASSWORD), enter("admin", ADMIN_PASSWORD)
    of_task.goto(f"{shared.address}{TASKS}{task}/change/")
    for page in (overview, of_task):
        expect(page.locator("th-live-pill")).to_have_text("Live")
        page.evaluate("window.same = true")
    expect(of_task.locator("details.th-run")).to_have_count(0)
    people.make_due(task)
    # The row was changed past the engine, which looks again when it is woken.
    job(shared, "something else", "1", wait=0)
    panel = overview.get_by_role("region", name="Running and queued")
    expect(panel.get_by_role("link", name=re.compile("Ticker"))).to_be_visible(timeout=SOON)
    expect(of_task.locator("#content")).to_contain_text("Running", timeout=SOON)
    go.touch()
    expect(panel.get_by_role("link", name=re.compile("Ticker"))).to_have_count(0, timeout=SOON)
    expect(of_task.locator("details.th-run")).to_have_count(1, timeout=SOON)
    expect(of_task.locator("details.th-run")).to_contain_text("Success")
    history = shared.client().get("/api/v1/executions", task=task).json()["results"]
    assert [run["trigger"] for run in history] == ["scheduled"]
    for page in (overview, of_task):
        assert page.evaluate("window.same") is True


# Sends what a button would send, from the page's own origin and with its own token.
POST = """async (path) => {
  const token = document.cookie.match(/taskhub_csrf=([^;]+)/)?.[1]
    ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? ""
  const answer = await fetch(path, { method: "POST", headers: { "X-CSRFToken": token }, redirect: "manual" })
  return answer.status
}"""


def test_two_browsers_see_the_same_and_only_one_of_them_acts(shared, people, enter, tmp_path):
    people.make(vera="viewer")
    task = make_task(shared, "Watched")
    running = job(shared, "watched by two", WAIT.format(go=str(tmp_path / "never")), wait=0)
    admin, viewer = enter("admin", ADMIN_PASSWORD), enter("vera")
    pages = {
        "overview": "/admin/",
        "jobs": "/admin/jobs_app/job/",
        "task": f"{TASKS}{task}/change/",
        "tasks": TASKS,
        "runspaces": "/admin/runspaces_app/runspace/",
        "history": "/admin/jobs_app/execution/",
        "job": f"/admin/jobs_app/job/{running}/change/",
    }
    acting = re.compile(r"^(Stop|Kill|Start|Run|Remove|Rename|Edit|Delete|Disable|Enable|Close|Force|New)\b")
    for name, path in pages.items():
        viewer.goto(f"{shared.address}{path}")
        content = viewer.locator("#content")
        for role in ("button", "link", "switch", "menuitem"):
            found = content.get_by_role(role, name=acting)
            enabled = [each.inner_text() for each in found.all() if each.is_enabled()]
            # Words such as "Running" or "Runs" lead to lists and start nothing.
            assert not [words for words in enabled if not words.startswith("Run")], (name, role, enabled)
            assert not content.get_by_role(role, name=re.compile(r"^Run( .*)? (now|again)$")).count(), name
    # What is not shown is refused as well.
    for path in (
        f"/admin/jobs_app/job/{running}/stop/",
        f"/admin/jobs_app/job/{running}/remove/",
        f"{TASKS}{task}/run/",
        f"/api/v1/jobs/{running}/cancel",
        f"/api/v1/tasks/{task}/run",
        f"/api/v1/tasks/{task}/disable",
    ):
        assert viewer.evaluate(POST, path) == 403, path
    assert row(shared, running)["state"] == "running"

    admin.goto(address(shared, running))
    for page in (admin, viewer):
        expect(page.locator("h2 .th-badge")).to_have_text("Running", timeout=SOON)
        expect(page.locator("th-live-pill")).to_have_text("Live")
        page.evaluate("window.same = true")
    admin.get_by_role("link", name="Stop…").click()
    admin.get_by_role("dialog").get_by_role("button", name="Stop the job").click()
    for page in (admin, viewer):
        expect(page.locator("h2 .th-badge")).to_have_text("Stopped", timeout=SOON)
        assert page.evaluate("window.same") is True
    ended = row(shared, running)
    assert (ended["state"], ended["reason"]) == ("stopped", "user")


def test_an_open_page_ends_with_the_rights_of_who_opened_it(shared, people, enter):
    people.make(tim="viewer")
    task = make_task(shared, "Rights")
    overview = enter("tim")
    listed = overview.context.new_page()
    listed.goto(f"{shared.address}{TASKS}")
    shown = listed.locator(f"tr[data-task='{task}']")
    for page in (overview, listed):
        expect(page.locator("th-live-pill")).to_have_text("Live")
    # As long as he may, he is told.
    assert shared.client().post(f"/api/v1/tasks/{task}/disable", {}).status == 200
    expect(shown).to_contain_text("Disabled", timeout=SOON)

    people.take_roles_away("tim")
    for page in (overview, listed):
        expect(page.locator("th-live-pill")).to_have_text("No access", timeout=SOON)
    before = shown.inner_text()
    assert shared.client().post(f"/api/v1/tasks/{task}/enable", {}).status == 200
    session = next(each for each in overview.context.cookies() if each["name"] == "taskhub_session")
    people.flush_session(session["value"])
    for page in (overview, listed):
        pill = page.locator("th-live-pill")
        expect(pill).to_have_text("Signed out", timeout=SOON)
        assert "/admin/login/?next=" in pill.get_by_role("link").get_attribute("href")
    assert shown.inner_text() == before, "nothing was told after the role was taken away"


HOSTILE = "<script>window.hit=1</script>\u202e<img src=https://evil.test/a onerror=window.hit=1>{{ 7|add:7 }}"
FAILING = r"""
print("\x1b]8;;https://evil.test/b\x1b\\click me\x1b]8;;\x1b\\ <script>window.hit = 1</script>")
print("\u202egnirts desrever\u202c <img src=https://evil.test/c onerror='window.hit = 1'>")
progress.status_message = "<img src=https://evil.test/d onerror=window.hit=1>\u202e"
raise ValueError("<script>window.hit = 1</script>\u202e <a href=https://evil.test/e>x</a>")
"""


def test_hostile_tasks_are_text_on_every_page(page, shared, sign_in, complaints):
    asked: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def answer(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", answer)
    client = shared.client()
    refused = client.post("/api/v1/tasks", {"name": "n" * 10_000, "language": "python", "code": "1"})
    assert refused.status == 400 and "name" in refused.json()["fields"], refused.text
    task = make_task(shared, HOSTILE, code=FAILING, description=HOSTILE, tags=["<b>tag</b>"])
    uuid = client.post(f"/api/v1/tasks/{task}/run", {}).json()["uuid"]
    wait_until(lambda: row(shared, uuid)["state"] == "failed", timeout=30, message="the run has failed")
    execution = client.get("/api/v1/executions", task=task).json()["results"][0]["id"]
    sign_in(page, shared)
    # Its name reads as it was typed: the tags are there to be read.
    told = {
        "/admin/": page.get_by_role("region", name="Recent failures"),
        TASKS: page.locator(f"tr[data-task='{task}']"),
        f"{TASKS}{task}/change/": page.locator(".th-head__title"),
        f"{TASKS}{task}/run/": page.locator("#content"),
        "/admin/jobs_app/job/": page.locator(f"tr[data-job='{uuid}']"),
        f"/admin/jobs_app/job/{uuid}/change/": page.locator("#content"),
        "/admin/jobs_app/execution/": page.locator("#result_list"),
        f"/admin/jobs_app/execution/{execution}/change/": page.locator("#content"),
    }
    for path, where in told.items():
        page.goto(f"{shared.address}{path}")
        expect(where).to_contain_text("<script>window.hit=1</script>")
        # What arrives over the socket is drawn by the browser itself.
        if page.locator("th-live-pill").is_visible():
            expect(page.locator("th-live-pill")).to_have_text("Live")
        for summary in page.locator("details.th-run summary").all():
            summary.click()
            expect(page.locator("details.th-run").first).to_contain_text("click me")
        assert (
            page.locator("a[href*='evil.test'], img[src*='evil.test'], #content script:not([type])").count()
            == 0
        )
        assert page.evaluate("window.hit") is None, path
    assert not dialogs
    assert [url for url in asked if not url.startswith(shared.address)] == []
