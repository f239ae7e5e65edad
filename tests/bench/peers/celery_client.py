"""Obeys the harness: fills Celery's queue, enqueues one by one, says how many results there are."""

import time

import redis

from tests.bench import helper
from tests.bench.peers.celery_app import SOCKET, TASKS

broker = redis.Redis(unix_socket_path=SOCKET, db=0)
results = redis.Redis(unix_socket_path=SOCKET, db=1)


def queue(kind, count):
    """Fill a list aside, then give it the queue's name: all of it is visible at once."""
    for _ in range(count):
        TASKS[kind].apply_async(queue="aside")
    broker.rename("aside", "bench")
    return {"released": time.monotonic()}


def enqueue(kind, path):
    task = TASKS[kind]
    if kind == "stamp":
        return lambda n: task.delay(n, path)
    return lambda n: task.delay()


def produce(kind, count, pace, path=""):
    return helper.produce(enqueue(kind, path), count, pace)


def finished():
    return results.dbsize()


def clear():
    results.flushdb()
    return {}


helper.serve(
    {
        "queue": queue,
        "produce": produce,
        "clear": clear,
        "wait": lambda count, limit: helper.wait_until_finished(finished, count, limit),
    }
)
