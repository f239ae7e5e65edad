"""What no index serves is looked for among the newest rows, and the page says so."""

import pytest

from jobs_app.pages import history
from taskhub.core import audit
from taskhub.core.audit import SYSTEM
from taskhub.core.pages import audit_admin
from tests.support import NOON, make_execution, make_task

HISTORY = "/admin/jobs_app/execution/"
NOTE = "Looked for among the newest 2"


@pytest.fixture
def runs(db, monkeypatch):
    """Three runs, of which a search looks at two."""
    make_task("Sweep", app="Shop")
    rows = [make_execution(name=f"Sweep {number}", app="Shop") for number in (1, 2, 3)]
    monkeypatch.setattr(history, "NEWEST", 2)
    monkeypatch.setattr(audit_admin, "NEWEST", 2)
    # Ids go on where other tests ended: only what lies between these counts.
    assert rows[-1].pk - rows[0].pk == 2
    return rows


@pytest.mark.parametrize("query", ["q=sweep", "app=Shop", "owner=none"])
def test_a_search_says_how_far_it_looked(runs, sign_in, query):
    page = sign_in("viewer").get(f"{HISTORY}?{query}").content.decode()
    assert NOTE in page
    assert "Sweep 3" in page and "Sweep 2" in page and "Sweep 1" not in page


def test_without_such_a_search_all_is_shown_and_nothing_said(runs, sign_in):
    page = sign_in("viewer").get(HISTORY).content.decode()
    assert "Sweep 1" in page and NOTE not in page
    whole_id = sign_in("viewer").get(f"{HISTORY}?q={runs[0].job}").content.decode()
    assert "Sweep 1" in whole_id


def test_a_search_of_the_audit_log_says_it_too(runs, sign_in):
    for number in (1, 2, 3):
        audit.record(actor=SYSTEM, action=f"job.sweep{number}", now=NOON)
    address = "/admin/core/auditentry/"
    page = sign_in("system_admin").get(f"{address}?q=sweep").content.decode()
    assert NOTE in page and "sweep3" in page and "sweep1" not in page
    assert NOTE not in sign_in("system_admin").get(address).content.decode()
