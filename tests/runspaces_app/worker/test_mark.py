"""The mark file says the old, the new, or that it cannot be read; never another job."""

import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from runspaces_app.worker.mark import (
    BEGUN,
    ENTRIES,
    NONE,
    SIZE,
    Attempt,
    Mark,
    MarkFile,
    UnreadableMark,
    decode,
)

pytestmark = pytest.mark.one_database

BOOT = "5f5c1c8e-7e0d-4d0b-9d0c-000000000001"


def job(number: int) -> UUID:
    return UUID(int=0xABCD_0000_0000_0000 + number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "1.mark"


@pytest.fixture
def mark(path: Path) -> Any:
    descriptor = MarkFile.create(str(path), boot_id=BOOT, runspace=12)
    made = MarkFile(descriptor)
    os.close(descriptor)
    yield made
    made.close()


def begin(mark: MarkFile, number: int, *, attempt: int = 1) -> None:
    mark.begin(job=job(number).bytes, attempt=attempt, fence=number + 100, output_cap=-1)


def test_a_fresh_one_names_boot_and_runspace_and_no_job(mark: MarkFile, path: Path) -> None:
    found = decode(path.read_bytes())
    assert (found.boot_id, found.runspace, found.pid, found.state, found.begun) == (BOOT, 12, 0, NONE, ())
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_was_begun_is_read_by_others(mark: MarkFile, path: Path) -> None:
    mark.register(77, 4321)
    mark.begin(job=job(1).bytes, attempt=3, fence=9, output_cap=1024)
    assert decode(path.read_bytes()) == Mark(
        BOOT, 12, 77, 4321, job(1), 3, BEGUN, 9, 1024, (Attempt(job(1), 3, 9),)
    )


def test_the_newest_stand_in_it_newest_first(mark: MarkFile) -> None:
    for number in range(ENTRIES + 4):
        begin(mark, number)
        kept = min(number + 1, ENTRIES)
        assert [each.job for each in mark.read().begun] == [job(number - back) for back in range(kept)]
        assert (mark.read().job, mark.read().fence) == (job(number), number + 100)


class Recorder:
    """The file as it is after each single byte that `begin` writes."""

    def __init__(self, mark: MarkFile, monkeypatch: pytest.MonkeyPatch) -> None:
        from runspaces_app.worker import mark as module

        self.pages = [mark._map[:SIZE]]

        def wrap(layout: Any) -> Any:
            class Layout:
                unpack_from = staticmethod(layout.unpack_from)

                @staticmethod
                def pack_into(_: Any, at: int, *values: Any) -> None:
                    data = layout.pack(*values)
                    for offset, byte in enumerate(data):
                        page = bytearray(self.pages[-1])
                        page[at + offset] = byte
                        self.pages.append(bytes(page))
                    mark._map[at : at + len(data)] = data

            return Layout

        for name in ("_BODY", "_ENTRY", "_NUMBER"):
            monkeypatch.setattr(module, name, wrap(getattr(module, name)))


@pytest.mark.parametrize("before", [0, 1, 2, ENTRIES - 1, ENTRIES, ENTRIES + 1, 255, 256])
def test_a_write_cut_off_at_any_byte_gives_old_or_new_or_unreadable(
    mark: MarkFile, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    for number in range(before):
        begin(mark, number)
    old = mark.read()
    with monkeypatch.context() as patched:
        recorder = Recorder(mark, patched)
        begin(mark, before, attempt=2)
    new = mark.read()
    assert new.begun[0] == Attempt(job(before), 2, before + 100)

    seen: list[Mark | None] = []
    for page in recorder.pages:
        try:
            seen.append(decode(page))
        except UnreadableMark:
            seen.append(None)

    assert (seen[0], seen[-1]) == (old, new)
    assert None in seen
    assert {found for found in seen if found is not None} <= {old, new}


@pytest.mark.parametrize("size", [0, 1, 8, 64, 512, SIZE - 1])
def test_a_file_that_was_cut_is_unreadable(mark: MarkFile, path: Path, size: int) -> None:
    begin(mark, 1)
    with pytest.raises(UnreadableMark, match=f"got {size}"):
        decode(path.read_bytes()[:size])


@pytest.mark.parametrize("page", [bytes(SIZE), b"\xff" * SIZE, os.urandom(SIZE)])
def test_what_is_no_mark_file_is_unreadable(page: bytes) -> None:
    with pytest.raises(UnreadableMark, match="no mark file"):
        decode(page)


def test_two_who_map_it_see_the_same_dirty_byte(mark: MarkFile, path: Path) -> None:
    with path.open("r+b") as file:
        other = MarkFile(file.fileno())
    assert not mark.dirty
    other.dirty = True
    assert mark.dirty
    begin(mark, 1)
    assert other.dirty
    mark.dirty = False
    assert not other.dirty
    other.close()
