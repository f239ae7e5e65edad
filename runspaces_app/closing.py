"""Asking an engine to close one of its runspaces."""

from datetime import datetime

from django.db import transaction

from taskhub.core import audit, wake
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput

from .errors import RunspaceClosed, RunspaceNotFound
from .models import Runspace


def request_close(runspace: int, *, confirmation: str, by: Actor, now: datetime) -> Runspace:
    """Note that a runspace shall be closed by force; its engine ends it and the job it runs.

    A second request while the first is not yet answered changes nothing. Each try is audited, the
    refused one too.

    Args:
        confirmation: the runspace's id as typed by who asks.

    Raises:
        RunspaceNotFound, RunspaceClosed, BadInput (the confirmation is not the id).
    """
    if confirmation != str(runspace):
        audit.record(
            actor=by,
            action="runspace.close",
            object_type="runspace",
            object_id=str(runspace),
            now=now,
            result="refused",
            message="the typed id is another one",
        )
        raise BadInput(
            f"confirmation: expected the runspace's id {runspace}, got {confirmation!r:.80}",
            fields={"confirmation": f"expected {runspace}"},
        )
    with transaction.atomic():
        row = Runspace.objects.select_for_update().filter(pk=runspace).first()
        if row is None:
            raise RunspaceNotFound(f"id: expected the id of a runspace, got {runspace}")
        if row.state != Runspace.State.OPENED:
            raise RunspaceClosed(
                f"state: expected a runspace that is open, got {row.state}", fields={"state": row.state}
            )
        if row.close_requested_at is None:
            row.close_requested_at = now
            row.save(update_fields=["close_requested_at"])
            transaction.on_commit(wake.wake_engines)
        audit.record(
            actor=by,
            action="runspace.close",
            object_type="runspace",
            object_id=str(runspace),
            now=now,
            before={"job": str(row.job) if row.job else None, "availability": row.availability},
        )
    return row
