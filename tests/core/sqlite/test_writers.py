"""Several processes and threads that write to one file."""

import signal
import threading
import time

import pytest
from django.db import connections, transaction

from taskhub.core.sqlite.line import Line, LineTimeout
from tests.support import wait_until

from .conftest import ALIAS

pytestmark = [pytest.mark.one_database, pytest.mark.processes]

# Commits without pause until its input ends, then says how often it did.
GREEDY = """
import select
say("ready")
commits = 0
while not select.select([sys.stdin], [], [], 0)[0]:
    with transaction.atomic():
        cursor.execute("INSERT INTO t (x) VALUES (NULL)")
    commits += 1
say(commits)
"""
# Writes a number of rows in several ways and from several threads, and says how long the slowest took.
POLITE = """
slowest = 0.0
def write(thread, count):
    global slowest
    own = connection.cursor()
    for number in range(count):
        before = time.monotonic()
        if number % 3 == 0:
            own.execute("INSERT INTO t (x) VALUES (NULL) RETURNING id")
            own.fetchone()
        elif number % 3 == 1:
            own.execute("INSERT INTO t (x) VALUES (NULL)")
        else:
            with transaction.atomic():
                own.execute("SELECT count(*) FROM t").fetchone()
                own.execute("INSERT INTO t (x) VALUES (NULL)")
        slowest = max(slowest, time.monotonic() - before)
    connection.close()
threads = [threading.Thread(target=write, args=(n, int(sys.argv[2]))) for n in range(2)]
for thread in threads: thread.start()
for thread in threads: thread.join()
say(json.dumps(slowest))
"""


def count(connection) -> int:
    return int(connection.cursor().execute("SELECT count(*) FROM t").fetchone()[0])


def test_nobody_is_locked_out_beside_a_process_that_commits_without_pause(own, process):
    greedy = process(GREEDY)
    assert greedy.stdout.readline() == "ready\n"
    polite = [process(POLITE, 40) for _ in range(2)]
    slowest = [float(each.stdout.readline()) for each in polite]
    greedy.stdin.write("enough\n")
    greedy.stdin.flush()
    commits = int(greedy.stdout.readline())
    assert [each.wait(20) for each in (greedy, *polite)] == [0, 0, 0]
    assert count(own) == commits + 2 * 2 * 40
    # Seen without the line: seconds, and some that never came through.
    assert max(slowest) < 2.0


def test_threads_of_one_process_lose_nothing(own):
    failed: list[BaseException] = []

    def add() -> None:
        try:
            for _ in range(25):
                with transaction.atomic(ALIAS):
                    cursor = connections[ALIAS].cursor()
                    x = cursor.execute("SELECT max(x) FROM t").fetchone()[0] or 0
                    cursor.execute("INSERT INTO t (x) VALUES (%s)", [x + 1])
        except BaseException as exc:
            failed.append(exc)
        finally:
            connections[ALIAS].close()

    threads = [threading.Thread(target=add) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failed
    assert own.cursor().execute("SELECT count(*), max(x) FROM t").fetchone() == (150, 150)


@pytest.mark.parametrize("end", ["kill", "exception", "exit"])
def test_a_process_that_ends_inside_a_transaction_frees_the_line(own, process, file, end):
    dying = process(
        """
        import os
        with transaction.atomic():
            cursor.execute("INSERT INTO t (x) VALUES (1)")
            say("inside")
            sys.stdin.readline()
            if sys.argv[2] == "exit":
                os._exit(3)
            raise SystemExit
        """,
        end,
    )
    assert dying.stdout.readline() == "inside\n"
    with pytest.raises(LineTimeout):
        Line(str(file.parent / "run"), timeout=0.05).enter()
    if end == "kill":
        dying.send_signal(signal.SIGKILL)
    else:
        dying.stdin.write("go\n")
        dying.stdin.flush()
    dying.wait(20)
    own.cursor().execute("INSERT INTO t (x) VALUES (2)")
    assert own.cursor().execute("SELECT x FROM t").fetchall() == [(2,)]


def test_readers_go_on_while_another_process_writes(own, process):
    own.cursor().execute("INSERT INTO t (x) VALUES (1)")
    writing = process(
        """
        with transaction.atomic():
            cursor.execute("INSERT INTO t (x) VALUES (2)")
            say("inside")
            sys.stdin.readline()
        say("done")
        """
    )
    assert writing.stdout.readline() == "inside\n"
    before = time.monotonic()
    assert count(own) == 1
    assert time.monotonic() - before < 1
    writing.stdin.write("go\n")
    writing.stdin.flush()
    assert writing.stdout.readline() == "done\n"
    assert count(own) == 2


def test_who_gives_up_waiting_is_told_and_can_try_again(own, process):
    holding = process(
        """
        with transaction.atomic():
            say("inside")
            sys.stdin.readline()
        say("done")
        """
    )
    assert holding.stdout.readline() == "inside\n"
    trying = process(
        """
        from django.db import OperationalError
        connection.close()
        connection.settings_dict["OPTIONS"]["timeout"] = 0.1
        try:
            connection.cursor().execute("INSERT INTO t (x) VALUES (1)")
        except OperationalError as exc:
            say(str(exc))
        sys.stdin.readline()
        connection.cursor().execute("INSERT INTO t (x) VALUES (1)")
        say("written")
        """
    )
    assert trying.stdout.readline().startswith("database is locked")
    holding.stdin.write("go\n")
    holding.stdin.flush()
    assert holding.stdout.readline() == "done\n"
    trying.stdin.write("go\n")
    trying.stdin.flush()
    assert trying.stdout.readline() == "written\n"


def test_processes_that_open_a_new_file_at_once_all_come_up(file, open_database, process):
    # The change to WAL needs the file for itself, at the moment when everybody comes.
    starting = [
        process(
            'cursor.execute("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, x)"); say("up"); sys.stdin.readline()'
        )
        for _ in range(5)
    ]
    assert [each.stdout.readline() for each in starting] == ["up\n"] * 5
    assert count(open_database(file)) == 0


def test_a_child_forked_inside_a_transaction_leaves_it_alone(own, process, file):
    parent = process(
        """
        import os
        with transaction.atomic():
            cursor.execute("INSERT INTO t (x) VALUES (1)")
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
            say(child)
        say("committed")
        sys.stdin.readline()
        import signal
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        say("reaped")
        """
    )
    int(parent.stdout.readline())
    assert parent.stdout.readline() == "committed\n"
    # The child lives, and holds nothing.
    own.cursor().execute("INSERT INTO t (x) VALUES (2)")
    wait_until(lambda: count(own) == 2)
    parent.stdin.write("go\n")
    parent.stdin.flush()
    assert parent.stdout.readline() == "reaped\n"
