"""Fixtures of the tests that start real processes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_django

from tests.acceptance.databases import drop_database, new_database
from tests.acceptance.harness import Installation, Ledger, Prepared
from tests.acceptance.rows import Rows


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """One installation that has been up once; its copies start faster."""
    url = new_database()
    made = Prepared(tmp_path_factory.mktemp("prepared"), lambda _: new_database(template=url), url)
    yield made
    made.installation.clean_up()
    drop_database(url)


@pytest.fixture
def installations(tmp_path: Path, prepared: Prepared) -> Iterator[Callable[[], Installation]]:
    """Makes as many installations as a test wants, each with a database of its own; ends all of them."""
    made: list[Installation] = []

    def make() -> Installation:
        folder = tmp_path / f"taskhub-{len(made)}"
        folder.mkdir()
        made.append(prepared.copy(folder / "home"))
        return made[-1]

    yield make
    for installation in made:
        installation.clean_up()
        drop_database(installation.database_url)


@pytest.fixture
def installation(installations: Callable[[], Installation]) -> Installation:
    """A data folder and a database, ready to start; nothing runs yet."""
    return installations()


@pytest.fixture(scope="module")
def shared_installation(
    prepared: Prepared, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """One for all tests of a module, each of which brings its own rows; nothing runs yet."""
    made = prepared.copy(tmp_path_factory.mktemp("shared") / "home")
    yield made
    made.clean_up()
    drop_database(made.database_url)


@pytest.fixture
def taskhub(installation: Installation) -> Installation:
    """The same with `up` running, and no sample app whose tasks would disturb."""
    installation.start()
    return installation


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def rows(installation: Installation, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[Rows]:
    """The rows of `installation`, whose default pool is small and quick to give up."""
    made = Rows(installation, django_db_blocker)
    made.pool(min_runspaces=2, max_runspaces=3, grace_seconds=0.3, drain_seconds=2.0)
    yield made
    made.close()
