"""How many task jobs may be under way at once; the others wait, held back as `limit`."""

from django.db import connection

from taskhub.core import runtime_settings

from . import sql

# Any number will do; it is the name of the lock under which engines decide and count.
LOCK = 7_290_416
# Freed in one statement; the next look frees more.
MOST = 10_000


def lock() -> None:
    """Let no other engine decide or count until this transaction ends. SQLite's writers do so anyway."""
    if not sql.is_sqlite():
        # The rows that are looked up were just read: without the second setting the planner takes
        # them to be on a slow disk, and reads a large table from end to end for each batch.
        sql.run("SELECT pg_advisory_xact_lock(?), set_config('random_page_cost', '1.1', true)", [LOCK])


def room() -> int | None:
    """How many more task jobs may be under way; None: any number. Inside a transaction with the lock."""
    limit = int(runtime_settings.get("max_concurrent_tasks"))
    if limit < 0:
        return None
    (under_way,) = sql.run(
        "SELECT COUNT(*) FROM jobs_app_job WHERE held = '' AND task_id IS NOT NULL AND finished_at IS NULL"
    ).fetchone()
    return max(0, limit - int(under_way))


def anyone_waits() -> bool:
    """Whether a task job waits for room or for an earlier run; one question, for it is asked each step."""
    connection.ensure_connection()
    found = sql.run(
        "SELECT 1 FROM jobs_app_job WHERE held IN ('limit', 'overlap') AND task_id IS NOT NULL "
        "AND finished_at IS NULL LIMIT 1"
    ).fetchone()
    return found is not None


def let_go() -> int:
    """Free as many waiting jobs as there is room for, in the order of the queue; returns how many.

    Inside a transaction with the lock.
    """
    places = room()
    if places == 0:
        return 0
    freed = sql.run(
        "UPDATE jobs_app_job SET held = '' WHERE uuid IN (SELECT uuid FROM jobs_app_job "
        "WHERE state = 'queued' AND held = 'limit' ORDER BY priority DESC, uuid LIMIT ?) "
        "AND state = 'queued' AND held = 'limit' RETURNING uuid",
        [MOST if places is None else min(places, MOST)],
    ).fetchall()
    return len(freed)
