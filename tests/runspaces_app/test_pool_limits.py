"""The limits of a pool: what may be set, and what is said of the rest."""

import pytest

from runspaces_app.models import Pool
from runspaces_app.pool_limits import LIMITS, change
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput, NotFound
from taskhub.core.models import AuditEntry
from tests.support import NOON, make_pool

ROOT = Actor("root")


def test_only_what_differs_is_written_and_audited(db):
    make_pool("small")
    pool = change("small", {"max_runspaces": 4, "idle_seconds": 300}, by=ROOT, now=NOON)
    assert pool.max_runspaces == 4
    entry = AuditEntry.objects.get()
    assert (entry.before, entry.after) == ({"max_runspaces": 10}, {"max_runspaces": 4})


def test_nothing_to_change_writes_nothing(db):
    make_pool("small")
    change("small", {"max_runspaces": 10}, by=ROOT, now=NOON)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"max_runspaces": 0}, "max_runspaces"),
        ({"max_runspaces": True}, "max_runspaces"),
        ({"max_runspaces": "4"}, "max_runspaces"),
        ({"min_runspaces": 11}, "min_runspaces"),
        ({"max_runspaces": 1}, "min_runspaces"),
        ({"idle_seconds": 0}, "idle_seconds"),
        ({"grace_seconds": float("nan")}, "grace_seconds"),
        ({"enabled": 1}, "enabled"),
        ({"description": 1}, "description"),
        ({"name": "other"}, "name"),
        ({"max_memory_bytes": 2**70}, "max_memory_bytes"),
    ],
)
def test_what_cannot_be_is_refused_by_name(db, changes, field):
    make_pool("small")
    with pytest.raises(BadInput) as refused:
        change("small", changes, by=ROOT, now=NOON)
    assert list(refused.value.fields) == [field]
    assert Pool.objects.get(pk="small").max_runspaces == 10


@pytest.mark.parametrize("field", [name for name, bounds in LIMITS.items() if bounds and bounds.or_none])
def test_minus_one_means_none(db, field):
    make_pool("small")
    assert getattr(change("small", {field: -1}, by=ROOT, now=NOON), field) == -1


def test_an_unknown_pool_is_not_found(db):
    with pytest.raises(NotFound):
        change("nowhere", {}, by=ROOT, now=NOON)
