"""What a runspace ran. No index of the history serves it, so only the part is read in which it was open."""

from datetime import timedelta
from typing import NamedTuple

from django.db.models import Count, Max, QuerySet

from jobs_app.models import Execution
from runspaces_app.models import Runspace

from . import figures

# At most so many rows of the history are looked through, the newest it can have run.
MOST = 50_000
# Its last end may be written this much later than its own.
LATE = timedelta(minutes=1)


class Stretch(NamedTuple):
    """The ids of the history in which the runs of a runspace stand; `bounded`: older ones may be missing."""

    after: int
    until: int
    bounded: bool


def stretch(runspace: Runspace) -> Stretch:
    first = figures.first_since(runspace.opened_at)
    behind = figures.first_since(runspace.closed_at + LATE) if runspace.closed_at else None
    if first is None:
        return Stretch(0, 0, False)
    newest = Execution.objects.aggregate(newest=Max("pk"))["newest"] or 0
    until = newest if behind is None else behind - 1
    return Stretch(max(first - 1, until - MOST), until, until - MOST >= first)


def only(rows: QuerySet[Execution], runspace: Runspace, within: Stretch) -> QuerySet[Execution]:
    """Of some rows of the history what this one ran."""
    return rows.filter(pk__gt=within.after, pk__lte=within.until, runspace=runspace.pk)


def counts(runspace: Runspace, within: Stretch) -> dict[str, int]:
    """How many of them ended how, the commonest first."""
    rows = (
        only(Execution.objects.order_by(), runspace, within).values_list("status").annotate(count=Count("pk"))
    )
    return dict(sorted(rows, key=lambda row: -row[1]))
