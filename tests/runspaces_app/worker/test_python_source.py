"""Scripts as they lie on a disk, before a line of them runs."""

from pathlib import Path

import pytest

from runspaces_app.worker.outcome import Outcome
from runspaces_app.worker.python_job import source_of

pytestmark = pytest.mark.one_database


def test_a_script_is_read_as_it_is(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_bytes("\ufeffx = 'größe'\r\n".encode())
    assert source_of(str(script)) == "x = 'größe'\r\n"


def test_one_in_another_encoding_fails_the_job_with_its_line_and_not_the_runspace(tmp_path: Path) -> None:
    script = tmp_path / "a.py"
    script.write_bytes(b"x = 1\ny = 'gr\xf6\xdfe'\n")
    found = source_of(str(script))
    assert isinstance(found, Outcome)
    assert found.error_message == f"{script}, line 2: expected UTF-8, got byte 0xf6"
    assert not found.recycle
