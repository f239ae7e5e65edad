"""A signed-in Chromium against real processes, and what it complains about."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import installation, installations, prepared, shared_installation, taskhub
from tests.acceptance.harness import ADMIN_PASSWORD, Installation, Prepared, copy_home
from tests.support import wait_until

__all__ = ["installation", "installations", "prepared", "shared_installation", "taskhub"]

# Pictures of every page are left here for who wants to look; in CI they are kept with the run.
PICTURES = Path(__file__).resolve().parents[1] / "artefacts" / "browser"
RENAME = "from django.db import connection; connection.cursor().execute('ALTER TABLE {} RENAME TO {}')"
FILL = "from django.utils import timezone; from tests.browser import demo; demo.fill(timezone.now())"


class Complaints:
    """What a page writes to the console; violations of its content policy among it."""

    def __init__(self, page: Any) -> None:
        self.found: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(str(error)))

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.found.append(message.text)


@pytest.fixture
def complaints(page: Any) -> Iterator[Complaints]:
    """Fails the test, at its end, if the page complained of anything."""
    heard = Complaints(page)
    yield heard
    assert not heard.found


@pytest.fixture(scope="module")
def shared(shared_installation: Installation) -> Installation:
    """`up` for all tests of a module that leave it running and bring their own rows."""
    shared_installation.start()
    return shared_installation


@pytest.fixture(scope="session")
def filled(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with rows made up for the pages."""
    installation = prepared.copy(tmp_path_factory.mktemp("filled") / "home")
    done = installation.manage("shell", "-c", FILL)
    assert done.returncode == 0, done.stderr
    return installation.home


@pytest.fixture
def web(filled: Path, tmp_path: Path) -> Iterator[Installation]:
    """The web process alone, on such rows: no engine changes them meanwhile."""
    copy_home(filled, tmp_path / "home")
    installation = Installation(tmp_path / "home")
    installation.spawn("serve", "--port", str(installation.port))
    wait_until(lambda: "Serving at" in installation.printed(), timeout=60, message="the web serves")
    yield installation
    installation.clean_up()


@pytest.fixture
def sign_in() -> Callable[[Any, Installation], None]:
    """Sign a page in as the first admin."""

    def enter(page: Any, where: Installation, password: str = ADMIN_PASSWORD) -> None:
        page.goto(f"{where.address}/admin/")
        page.get_by_label("User name").fill("admin")
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/admin/")

    return enter


@pytest.fixture
def picture() -> Callable[[Any, str], None]:
    """Keep a picture of a page under a name."""

    def keep(page: Any, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=os.fspath(PICTURES / f"{name}.png"))

    return keep


def rename_table(where: Installation, old: str, new: str) -> None:
    """Take a table away from running processes, or give it back: whatever reads it fails meanwhile."""
    done = where.manage("shell", "-c", RENAME.format(old, new))
    assert done.returncode == 0, done.stderr
