"""The live channel of a real installation: in time, equal to REST in the end, bounded for slow readers."""

import contextlib
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.acceptance.harness import ADMIN_PASSWORD
from tests.acceptance.live_client import frame, session_cookie, socket
from tests.support import wait_until

pytestmark = pytest.mark.processes

COUNTING = """import time
for step in range(1, 11):
    progress.status_message = str(time.time())
    print(step, flush=True)
    time.sleep(0.25)
"""


@pytest.fixture
def taskhub(installations):
    made = installations()
    made.start()
    return made


def started(taskhub, code: str) -> str:
    answer = taskhub.client().call(
        "POST", "/api/v1/jobs", {"language": "python", "code": code, "start": True}
    )
    assert answer.status == 202, answer.text
    return str(answer.json()["id"])


def test_progress_and_output_arrive_soon_and_end_as_rest_says(taskhub):
    cookie = session_cookie(taskhub, ADMIN_PASSWORD)
    job = started(taskhub, COUNTING)
    late: list[float] = []
    row: dict[str, Any] = {}
    size: dict[str, Any] = {}
    with socket(taskhub, cookie, job=job, output=job) as opened:
        while row.get("state") not in ("completed", "failed") or not size.get("complete"):
            told = frame(opened)
            size = told.get("output", {}).get(job, size)
            seen = told.get("job", {}).get(job)
            if seen and seen["progress"]["status_message"] != row.get("progress", {}).get("status_message"):
                with contextlib.suppress(ValueError):
                    late.append(time.time() - float(seen["progress"]["status_message"]))
            row = seen or row
        assert row == taskhub.client().call("GET", f"/api/v1/jobs/{job}").json()
    assert size["lines"] == 10
    assert len(late) >= 5
    # The promise is 500 ms; a machine shared by several test runs gets a second.
    assert sorted(late)[len(late) // 2] < 1.0, late


def test_after_the_web_process_was_killed_a_new_socket_tells_how_things_are(taskhub):
    cookie = session_cookie(taskhub, ADMIN_PASSWORD)
    job = started(taskhub, "import time; time.sleep(1)")
    with socket(taskhub, cookie, jobs=[job]) as opened:
        assert frame(opened)["snapshot"] is True
        taskhub.kill("taskhub web")
        with pytest.raises(ConnectionClosed):
            while True:
                frame(opened)

    def again():
        try:
            with socket(taskhub, cookie, jobs=[job]) as opened:
                return frame(opened)["jobs"][job]["state"] == "completed"
        except (OSError, InvalidStatus):
            return False

    wait_until(again, timeout=30, message="the page sees the end", interval=0.2)


@pytest.mark.one_database
def test_a_reader_that_does_not_read_is_not_buffered_for(taskhub):
    """A megabyte of code is in each frame; without a bound all changes would be kept for it."""
    cookie = session_cookie(taskhub, ADMIN_PASSWORD)
    job = started(taskhub, f"# {'x' * 900_000}\n{COUNTING.replace('range(1, 11)', 'range(1, 61)')}")
    web = taskhub.named("taskhub web")
    with socket(taskhub, cookie, job=job) as opened:
        frame(opened)
        # The library reads ahead a little, then the system's buffers fill, then the server has to wait.
        before = web.memory_info().rss
        wait_until(
            lambda: taskhub.client().call("GET", f"/api/v1/jobs/{job}").json()["state"] == "completed",
            timeout=60,
            interval=0.5,
        )
        assert web.memory_info().rss - before < 30_000_000
        count, last = 0, dict[str, Any]()
        while last.get("state") != "completed":
            last = frame(opened)["job"][job]
            count += 1
        assert count < 60


@pytest.mark.one_database
def test_what_is_shown_may_be_large_and_what_is_asked_may_not(taskhub):
    cookie = session_cookie(taskhub, ADMIN_PASSWORD)
    jobs = [started(taskhub, "1") for _ in range(120)]
    with socket(taskhub, cookie, jobs=jobs) as opened:
        assert len(frame(opened)["jobs"]) == 120
        opened.send(" " * (64 * 1024 + 1))
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                frame(opened)
    assert closed.value.sent is None or closed.value.sent.code == 1009
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1009


@pytest.mark.one_database
def test_another_origin_gets_no_socket(taskhub):
    cookie = session_cookie(taskhub, ADMIN_PASSWORD)
    with (
        pytest.raises(InvalidStatus, match="403"),
        socket(taskhub, cookie, origin="http://127.0.0.1:1", overview=True),
    ):
        pass
