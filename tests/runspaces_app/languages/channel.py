"""Run a script by its language's command, alone, and read what it says on the control channel."""

import json
import os
import subprocess
import threading
from pathlib import Path
from typing import Any, NamedTuple

from runspaces_app.languages import Language


class Said(NamedTuple):
    """Exit status, output, and the channel's lines as JSON."""

    status: int
    stdout: str
    stderr: str
    lines: list[Any]


def run(language: Language, code: str, folder: Path, **variables: str) -> Said:
    """Run the text as `script` in that folder, with descriptor 3 as a pipe."""
    script = folder / f"script{language.suffix}"
    script.write_text(code, newline="")
    (folder / "tmp").mkdir(exist_ok=True)
    read_end, write_end = os.pipe()
    channel = bytearray()

    def gather() -> None:
        while piece := os.read(read_end, 1 << 16):
            channel.extend(piece)

    reader = threading.Thread(target=gather, name="channel reader")
    reader.start()
    # Descriptor 3 through a shell of its own: pass_fds keeps numbers, and 3 may be taken here.
    starter = ["sh", "-c", f'exec "$@" 3>/dev/fd/{write_end}', "sh", *language.argv(str(script))]
    environment = {"TASKHUB_CHANNEL": "/dev/fd/3", "TMPDIR": str(folder / "tmp"), **variables}
    try:
        process = subprocess.run(
            starter,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **environment},
            cwd=folder,
            pass_fds=[write_end],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    finally:
        os.close(write_end)
        reader.join()
        os.close(read_end)
    lines = [json.loads(line) for line in channel.decode("utf-8", "replace").split("\n")[:-1]]
    return Said(process.returncode, process.stdout.decode(), process.stderr.decode(), lines)
