"""A job finds its folder empty, whatever the one before it left there."""

import os
import time
from pathlib import Path
from uuid import uuid4

import pytest

from runspaces_app.worker.workplace import _SETTLED_NS, Workplace
from tests.support import wait_until

pytestmark = pytest.mark.one_database


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.chdir(tmp_path)
    made = Workplace(str(tmp_path), 1)
    made.open()
    return made


def _use(workplace: Workplace, *, settled: bool) -> None:
    """Let jobs that leave nothing come and go: at once, or when the folder may be known by its times alone."""
    began = time.time_ns()
    if settled:
        wait_until(
            lambda: time.time_ns() - began > _SETTLED_NS, message="the times of the folder have settled"
        )
    for _ in range(2):
        uuid = str(uuid4())
        workplace.give(uuid)
        workplace.take_back(uuid)


@pytest.mark.parametrize("settled", [False, True])
@pytest.mark.parametrize("left", ["file", "tmp/file", "folder/", "tmp/folder/"])
def test_what_was_left_is_gone(workplace: Workplace, tmp_path: Path, left: str, settled: bool) -> None:
    _use(workplace, settled=settled)
    first, second = str(uuid4()), str(uuid4())
    own, temporary = workplace.give(first)
    path = os.path.join(own, left)
    if left.endswith("/"):
        os.mkdir(path)
    else:
        Path(path).write_text("left")

    workplace.take_back(first)

    assert not os.path.exists(own)
    own, temporary = workplace.give(second)
    assert os.listdir(own) == ["tmp"] and os.listdir(temporary) == []
    workplace.take_back(second)
    workplace.close()
    assert os.listdir(tmp_path) == []


def test_times_that_are_too_fresh_prove_nothing(workplace: Workplace) -> None:
    _use(workplace, settled=False)
    uuid = str(uuid4())
    own, _ = workplace.give(uuid)
    before = os.stat(own)
    Path(own, "left").write_text("left")
    # As a kernel whose time stamps move on in ticks would have it.
    os.utime(own, ns=(before.st_atime_ns, before.st_mtime_ns))

    workplace.take_back(uuid)

    own, _ = workplace.give(str(uuid4()))
    assert os.listdir(own) == ["tmp"]


@pytest.mark.parametrize("settled", [False, True])
def test_a_folder_whose_temporary_one_was_removed_is_made_anew(workplace: Workplace, settled: bool) -> None:
    _use(workplace, settled=settled)
    uuid = str(uuid4())
    _, temporary = workplace.give(uuid)
    os.rmdir(temporary)
    workplace.take_back(uuid)
    own, temporary = workplace.give(uuid)
    assert os.listdir(own) == ["tmp"] and os.listdir(temporary) == []


def test_a_script_of_ours_leaves_the_folder_as_it_was(workplace: Workplace) -> None:
    for _ in range(3):
        uuid = str(uuid4())
        own, _ = workplace.give(uuid)
        script = workplace.write_script(uuid, "script.sh", "true")
        assert os.path.dirname(script) == own
        workplace.take_back(uuid)
    own, _ = workplace.give(str(uuid4()))
    assert os.listdir(own) == ["tmp"]
