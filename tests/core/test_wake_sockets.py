"""Wakes on SQLite: datagrams to sockets in `run/`."""

import os
import select
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from taskhub.core import wake
from taskhub.core.home import Home
from taskhub.core.wake import open_receiver, wake_engines

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.one_database,  # PostgreSQL wakes in another way, which has tests of its own
]


def readable(receiver: Any, seconds: float = 0) -> bool:
    return bool(select.select([receiver], [], [], seconds)[0])


@pytest.fixture
def receiver(home: Path):
    opened = open_receiver()
    yield opened
    opened.close()


def sockets(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "run").iterdir() if path.suffix == ".wake")


def test_a_wake_is_heard_once(receiver):
    assert not readable(receiver)
    wake_engines()
    assert readable(receiver, 1)
    receiver.drain()
    assert not readable(receiver)


def test_many_wakes_are_one_to_who_drains(receiver):
    for _ in range(5):
        wake_engines()
    receiver.drain()
    assert not readable(receiver)


def test_draining_nothing_does_not_wait(receiver):
    receiver.drain()


def test_every_engine_hears_it(receiver, home):
    other = open_receiver()
    try:
        assert len(sockets(home)) == 2
        wake_engines()
        assert readable(receiver, 1)
        assert readable(other, 1)
    finally:
        other.close()


def test_nobody_there_is_no_error(home):
    wake_engines()


def test_a_data_folder_that_is_not_there_is_no_error(settings, tmp_path):
    settings.TASKHUB_HOME = tmp_path / "nowhere"
    wake_engines()
    assert not (tmp_path / "nowhere").exists()


def test_paths_longer_than_a_sockets_address_work(settings, tmp_path):
    settings.TASKHUB_HOME = tmp_path.joinpath(*["long" * 20] * 5)
    settings.TASKHUB_HOME.mkdir(parents=True)
    Home.current().create()
    assert len(str(settings.TASKHUB_HOME)) > 400
    long_receiver = open_receiver()
    wake_engines()
    assert readable(long_receiver, 1)
    long_receiver.close()
    assert sockets(settings.TASKHUB_HOME) == []


def test_a_receiver_that_reads_nothing_blocks_nobody(receiver):
    before = time.monotonic()
    for _ in range(2_000):
        wake_engines()
    assert time.monotonic() - before < 5
    receiver.drain()
    assert not readable(receiver)


def test_a_full_one_does_not_keep_the_others_from_hearing(receiver, home):
    full = open_receiver()
    try:
        for _ in range(1_000):
            wake_engines()
        receiver.drain()
        wake_engines()
        assert readable(receiver, 1)
    finally:
        full.close()


def dead_socket(home: Path, name: str) -> Path:
    """What an engine leaves that was killed: a socket's file that nobody is bound to."""
    left = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    folder = os.open(home / "run", os.O_RDONLY)
    left.bind(f"/proc/self/fd/{folder}/{name}")
    left.close()
    os.close(folder)
    return home / "run" / name


def test_what_killed_engines_left_is_removed_and_harms_nobody(receiver, home):
    left = [dead_socket(home, f"{number}-aaaa.wake") for number in range(3)]
    wake_engines()
    assert readable(receiver, 1)
    assert not any(path.exists() for path in left)
    assert len(sockets(home)) == 1


def test_other_files_in_the_folder_are_left_alone(receiver, home):
    (home / "run" / "file.wake").write_text("no socket")
    (home / "run" / "queue.lock").touch()
    (home / "run" / "folder.wake").mkdir()
    wake_engines()
    assert readable(receiver, 1)
    assert (home / "run" / "file.wake").exists() is False or (
        home / "run" / "file.wake"
    ).read_text() == "no socket"
    assert (home / "run" / "queue.lock").exists()
    assert (home / "run" / "folder.wake").exists()


def test_closing_removes_the_socket_and_can_be_done_twice(home):
    opened = open_receiver()
    assert len(sockets(home)) == 1
    opened.close()
    opened.close()
    assert sockets(home) == []


def test_the_descriptors_are_not_left_open(home):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        opened = open_receiver()
        wake_engines()
        opened.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_two_sockets_never_have_one_name(home):
    opened = [open_receiver() for _ in range(20)]
    assert len(sockets(home)) == 20
    for each in opened:
        each.close()


def test_nothing_that_goes_wrong_reaches_the_caller(monkeypatch, home):
    def fail(*args: object) -> None:
        raise RuntimeError("anything")

    monkeypatch.setattr(wake, "_send_to_all", fail)
    wake_engines()
