"""Obeys the harness: fills Huey's queue, enqueues one by one, says how many results there are."""

import os
import time

from tests.bench import helper
from tests.bench.peers.huey_app import TASKS, huey

REDIS = os.environ["BENCH_HUEY"] == "redis"
storage = huey.storage


def queue(kind, count):
    """Everything becomes visible at once: by a rename in Redis, by one commit in SQLite."""
    messages = [huey.serialize_task(TASKS[kind].s()) for _ in range(count)]
    if REDIS:
        pipe = storage.conn.pipeline(transaction=False)
        for message in messages:
            pipe.lpush("aside", message)
        pipe.execute()
        storage.conn.rename("aside", storage.queue_key)
    else:
        with storage.db(commit=True) as cursor:
            cursor.executemany(
                "insert into task (queue, data, priority) values (?, ?, ?)",
                [(storage.name, storage.to_blob(message), 0) for message in messages],
            )
    return {"released": time.monotonic()}


def produce(kind, count, pace, path=""):
    task = TASKS[kind]
    call = (lambda n: task(n, path)) if kind == "stamp" else (lambda n: task())
    return helper.produce(call, count, pace)


def finished():
    if REDIS:
        return storage.conn.hlen(storage.result_key)
    # Rows are only added, so the highest rowid counts them without reading them all.
    return storage.sql("select coalesce(max(rowid), 0) from kv", results=True)[0][0]


def clear():
    if REDIS:
        storage.conn.delete(storage.result_key)
    else:
        storage.sql("delete from kv", commit=True)
    return {}


helper.serve(
    {
        "queue": queue,
        "produce": produce,
        "clear": clear,
        "wait": lambda count, limit: helper.wait_until_finished(finished, count, limit),
    }
)
