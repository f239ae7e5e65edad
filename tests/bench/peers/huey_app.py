"""Huey with its Redis or its SQLite storage, as its documents describe them.

Redis: the blocking pop (default), so an idle worker costs no delay. SQLite: WAL (default) with
`fsync=True`, which sets synchronous=FULL, so that each commit is durable.
"""

import os

from huey import RedisHuey, SqliteHuey

from . import work

if os.environ["BENCH_HUEY"] == "redis":
    huey = RedisHuey("bench", url=f"unix://{os.environ['BENCH_REDIS']}?db=2")
else:
    huey = SqliteHuey(
        "bench", filename=os.environ["BENCH_SQLITE"], fsync=True, journal_mode="wal", timeout=30
    )

noop = huey.task()(work.noop)
stamp = huey.task()(work.stamp)
shell = huey.task()(work.shell)
TASKS = {"noop": noop, "stamp": stamp, "shell": shell}
