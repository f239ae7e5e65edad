"""Fixtures every test may use."""

import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from tests import postgres
from tests.support import make_user

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(settings.TASKHUB_HOME, ignore_errors=True)
    postgres.stop()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out, on the second database, the tests it cannot change."""
    if os.environ.get("TASKHUB_TEST_DATABASE", "sqlite") == "sqlite":
        return
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        elsewhere = item.get_closest_marker("browser") or item.get_closest_marker("one_database")
        (left if elsewhere else kept).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one, unless it says that CI need not have what it needs."""
    report = yield
    planned = hasattr(report, "wasxfail") or item.get_closest_marker("optional")
    if report.skipped and os.environ.get("CI") == "true" and not planned:
        report.outcome = "failed"
        report.longrepr = (
            f"{item.nodeid} was skipped, which CI does not allow: {call.excinfo and call.excinfo.value}"
        )
    return report


@pytest.fixture
def home(tmp_path: Path, settings: Any) -> Path:
    """A data folder for this test alone."""
    from taskhub.core.home import Home

    settings.TASKHUB_HOME = tmp_path / "home"
    Home.current().create()
    return tmp_path / "home"


@pytest.fixture
def admin(db: None) -> User:
    return make_user("admin", superuser=True)


@pytest.fixture
def api() -> APIClient:
    """A REST client that nobody has signed in."""
    return APIClient()


@pytest.fixture
def api_as(db: None) -> Callable[..., APIClient]:
    """Call it with a role, or with `user=`, for a REST client that is signed in."""

    def sign_in(role: str | None = None, *, user: User | None = None) -> APIClient:
        client = APIClient()
        client.force_authenticate(user or make_user(role=role))
        return client

    return sign_in


@pytest.fixture
def api_admin(admin: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(admin)
    return client


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Where Chromium is; without one the test is skipped, or fails where nothing may be skipped."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found:
        return found
    reason = "no Chromium on PATH (Debian: apt-get install chromium)"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Any]:
    """A headless Chromium shared by the tests of a worker; take `page` for a window of your own."""
    from playwright.sync_api import sync_playwright

    # Playwright keeps an event loop in this thread, which Django takes for asynchronous code.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    try:
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=chromium_path, args=CHROMIUM_ARGUMENTS)
            yield opened
            opened.close()
    finally:
        if before is None:
            os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()
