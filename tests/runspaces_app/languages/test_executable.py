import os
import subprocess

import pytest

from runspaces_app import languages
from runspaces_app.languages import CheckFailed

EXECUTABLE = languages.get("executable")


@pytest.mark.parametrize(
    "first", ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env sh", "#!/usr/bin/env -S A=1 sh -e"]
)
def test_a_script_that_names_a_program_of_this_host_passes(first):
    EXECUTABLE.check(first + "\nanything at all ((\n")


@pytest.mark.parametrize(
    "code",
    ["", "echo", "#!", "#!\n/bin/sh", "#!sh\n", "#!/nonexistent/sh\n", "#!/etc\n", "#!/etc/passwd\n",
     "#!/usr/bin/env nosuchprogram\n", "#!/bin/sh\r\necho\r\n", " #!/bin/sh\n"],
)  # fmt: skip
def test_any_other_is_refused_at_its_first_line(code):
    with pytest.raises(CheckFailed) as caught:
        EXECUTABLE.check(code)
    assert caught.value.line == 1


def test_the_file_itself_is_run(tmp_path):
    script = tmp_path / "script"
    script.write_text("#!/bin/cat\nhello\n")
    os.chmod(script, 0o700)
    done = subprocess.run(EXECUTABLE.argv(str(script)), capture_output=True, text=True, check=True)
    assert done.stdout == "#!/bin/cat\nhello\n"
