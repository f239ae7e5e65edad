"""Asking for the end of a runspace."""

import pytest

from runspaces_app.closing import request_close
from runspaces_app.errors import RunspaceClosed, RunspaceNotFound
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput
from taskhub.core.models import AuditEntry
from tests.support import MINUTE, NOON, make_runspace

ROOT = Actor("root")


def test_the_request_stands_on_the_row(db):
    runspace = make_runspace()
    row = request_close(runspace.pk, confirmation=str(runspace.pk), by=ROOT, now=NOON)
    assert row.close_requested_at == NOON
    assert row.state == "opened"


def test_a_second_request_leaves_the_first(db):
    runspace = make_runspace()
    for moment in (NOON, NOON + MINUTE):
        row = request_close(runspace.pk, confirmation=str(runspace.pk), by=ROOT, now=moment)
    assert row.close_requested_at == NOON


@pytest.mark.parametrize("typed", ["", " 1", "01", "yes"])
def test_another_text_than_the_id_is_refused_and_audited(db, typed):
    runspace = make_runspace(pk=1)
    with pytest.raises(BadInput) as refused:
        request_close(runspace.pk, confirmation=typed, by=ROOT, now=NOON)
    assert refused.value.fields == {"confirmation": "expected 1"}
    runspace.refresh_from_db()
    assert runspace.close_requested_at is None
    assert AuditEntry.objects.get().result == "refused"


def test_what_has_ended_cannot_be_closed(db):
    runspace = make_runspace(state="closed", closed_at=NOON)
    with pytest.raises(RunspaceClosed):
        request_close(runspace.pk, confirmation=str(runspace.pk), by=ROOT, now=NOON)


def test_an_unknown_one_is_not_found(db):
    with pytest.raises(RunspaceNotFound):
        request_close(404, confirmation="404", by=ROOT, now=NOON)
