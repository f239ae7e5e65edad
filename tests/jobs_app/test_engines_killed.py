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

from jobs_app.engine import scheduler
from jobs_app.models import Job
from taskhub.core import runtime_settings
from taskhub.core.clock import FakeClock
from tasks_app.models import Occurrence, Task
from tests.support import MINUTE, NOON, make_pool

pytestmark = pytest.mark.django_db(transaction=True)

TASKS = 300
MINUTES = 8
# Seconds of the fast clock in one of ours: a minute takes one second.
SPEED = 60.0

# What an engine does with due times, on a clock that all of them share through the boot clock.
DECIDER = """
import json, sys
from datetime import datetime, timedelta
told = json.loads(sys.argv[1])
import django
django.setup()
from django.db import connections
connections["default"].settings_dict["NAME"] = told["database"]
from jobs_app.engine import scheduler
from taskhub.core.clock import Clock
import time

class Fast(Clock):
    def now(self):
        passed = min(self.boottime() - told["begun"], told["seconds"])
        return datetime.fromisoformat(told["start"]) + timedelta(seconds=passed * told["speed"])

clock = Fast()
while True:
    if not scheduler.decide(clock=clock):
        time.sleep(0.02)
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
        "begun": time.clock_gettime(time.CLOCK_BOOTTIME) + 1.5, "start": NOON.isoformat(), "speed": SPEED,
        "seconds": (MINUTES - 1) * 60 / SPEED, "database": str(connection.settings_dict["NAME"]),
    }  # fmt: skip
    environment = os.environ | {"TASKHUB_HOME": str(home), "DJANGO_SETTINGS_MODULE": "taskhub.settings"}

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", DECIDER, json.dumps(told)], env=environment, cwd=settings.BASE_DIR,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip

    chance = random.Random(5)  # noqa: S311 - when to kill, not a secret
    engines = [start(), start()]
    kills = 0
    wanted = TASKS * MINUTES
    until = time.monotonic() + 25
    try:
        while Occurrence.objects.count() < wanted and time.monotonic() < until:
            # Often enough that some die between their statements; the other one goes on meanwhile.
            time.sleep(chance.uniform(0.5, 1.5))
            dead = engines[kills % 2]
            assert dead.poll() is None, dead.stderr.read().decode()
            dead.send_signal(signal.SIGKILL)
            dead.communicate()
            engines[kills % 2] = start()
            kills += 1
    finally:
        for engine in engines:
            engine.kill()
            engine.communicate()
    # What the last kill left, if the clock stood still before anyone came to it.
    last = FakeClock(NOON + (MINUTES - 1) * MINUTE)
    while scheduler.decide(clock=last):
        pass
    fired = Occurrence.objects.filter(decision="fired", void=False)
    assert kills >= 3
    assert Counter(fired.values_list("due_at", flat=True)) == {
        NOON + timedelta(minutes=minute): TASKS for minute in range(MINUTES)
    }
    assert fired.count() == Occurrence.objects.count() == wanted
    assert Counter(Job.objects.values_list("task", "due_at")).most_common(1)[0][1] == 1
    assert set(Job.objects.values_list("uuid", flat=True)) == set(fired.values_list("job", flat=True))
