"""Celery as its guide "Optimizing" sets it up for many short tasks.

- worker_prefetch_multiplier: "many short-running tasks ... this number should be large ... 64, or 128".
- delivery_mode 1: "transient queues" (Redis makes no difference of it, and is not slower for it).
- early acknowledgement (the default), no task events, no rate limits.
The worker runs with --without-gossip --without-mingle --without-heartbeat, which its guide of worker
options gives for leaving out the chatter between workers, and logs warnings only.
"""

import os

from celery import Celery
from kombu import Queue

from . import work

SOCKET = os.environ["BENCH_REDIS"]
BROKER = f"redis+socket://{SOCKET}?virtual_host=0"
RESULTS = f"redis+socket://{SOCKET}?virtual_host=1"

app = Celery("bench", broker=BROKER, backend=RESULTS)
app.conf.update(
    task_default_queue="bench",
    task_queues=[Queue("bench", routing_key="bench", delivery_mode=1)],
    task_default_routing_key="bench",
    task_default_delivery_mode="transient",
    worker_prefetch_multiplier=128,
    worker_disable_rate_limits=True,
    worker_send_task_events=False,
    task_send_sent_event=False,
    task_ignore_result=False,
    broker_connection_retry_on_startup=True,
)

noop = app.task(name="noop")(work.noop)
stamp = app.task(name="stamp")(work.stamp)
shell = app.task(name="shell")(work.shell)
TASKS = {"noop": noop, "stamp": stamp, "shell": shell}
