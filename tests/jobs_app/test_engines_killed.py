"""Two engines deciding on a fast clock, real processes killed again and again: nothing missing, nothing double."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection

from jobs_app.models import Job
from taskhub.core import runtime_settings
from tasks_app.models import Occurrence, Task
from tests.support import NOON, make_pool, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = 300
MINUTES = 8
# Seconds of the fast clock in one of ours: a minute takes one second.
SPEED = 60.0

# Starts Django once, then makes one engine's worth of deciding for each line it reads, and says its
# process id. All of them share a fast clock through the boot clock.
NURSERY = """
import json, os, signal, sys, time
from datetime import datetime, timedelta
import django
django.setup()
from django.db import connections
from jobs_app.engine import scheduler
from taskhub.core.clock import Clock

told = json.loads(sys.argv[1])
connections["default"].settings_dict["NAME"] = told["database"]

class Fast(Clock):
    begun = 0.0

    def now(self):
        passed = max(0.0, min(self.boottime() - self.begun, told["seconds"]))
        return datetime.fromisoformat(told["start"]) + timedelta(seconds=passed * told["speed"])

nursery = os.getpid()
clock = Fast()
clock.begun = clock.boottime()
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        while os.getppid() == nursery:
            if not scheduler.decide(clock=clock):
                time.sleep(0.02)
        os._exit(0)
    print(child, flush=True)
"""


@pytest.fixture(autouse=True)
def clean_house(home, transactional_db):
    runtime_settings.forget_cached()
    make_pool("default")


def test_three_hundred_minutely_tasks_through_kills(home):
    Task.objects.bulk_create(
        Task(name=f"task-{index}", code="1", schedule="* * * * *", overlap="allow", misfire="run_all",
             next_due_at=NOON)
        for index in range(TASKS)
    )  # fmt: skip
    told = {
        "start": NOON.isoformat(), "speed": SPEED, "seconds": (MINUTES - 1) * 60 / SPEED,
        "database": str(connection.settings_dict["NAME"]),
    }  # fmt: skip
    nursery = subprocess.Popen(
        [sys.executable, "-c", NURSERY, json.dumps(told)],
        env=os.environ | {"TASKHUB_HOME": str(home), "DJANGO_SETTINGS_MODULE": "taskhub.settings"},
        cwd=settings.BASE_DIR, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert nursery.stdin is not None and nursery.stdout is not None

    def start():
        nursery.stdin.write("\n")
        nursery.stdin.flush()
        return int(nursery.stdout.readline())

    chance = random.Random(5)  # noqa: S311 - when to kill, not a secret
    engines = [start(), start()]
    kills = 0
    wanted = TASKS * MINUTES

    def kill_one_and_look():
        nonlocal kills
        os.kill(engines[kills % 2], signal.SIGKILL)
        engines[kills % 2] = start()
        kills += 1
        # Uneven, so that they die at any point of their work.
        time.sleep(chance.uniform(0.02, 0.5))
        return Occurrence.objects.count() >= wanted

    try:
        wait_until(kill_one_and_look, 28, "all due times are decided")
    finally:
        for engine in engines:
            os.kill(engine, signal.SIGKILL)
        nursery.communicate()
    fired = Occurrence.objects.filter(decision="fired", void=False)
    assert kills >= 10
    assert Counter(fired.values_list("due_at", flat=True)) == {
        NOON + timedelta(minutes=minute): TASKS for minute in range(MINUTES)
    }
    assert fired.count() == Occurrence.objects.count() == wanted
    assert Counter(Job.objects.values_list("task", "due_at")).most_common(1)[0][1] == 1
    assert set(Job.objects.values_list("uuid", flat=True)) == set(fired.values_list("job", flat=True))
