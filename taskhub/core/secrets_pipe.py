"""Keep secrets out of `/proc/<pid>/environ`, where every script of the same user could read them.

The environment a process was started with stays readable for as long as the process lives,
whatever it does to `os.environ`. So the first thing Taskhub's command line does is `take()`: it
writes the secret variables into a pipe, executes itself again without them, and the second life
reads the pipe empty. Children get theirs by `handover()`. Standard library only, imported before
anything else.
"""

import json
import os
import sys
from collections.abc import Container, Mapping

NAMES = (
    "TASKHUB_SECRET_KEY",
    "TASKHUB_DATABASE_URL",
    "TASKHUB_ADMIN_PASSWORD",
    "TASKHUB_CELERY_BROKER_URL",
)
PIPE = "TASKHUB_SECRETS_FD"
"""Names the descriptor to read from; set by a parent or by ourselves, never by a person."""

# Less than a pipe holds, so that writing never waits for a reader.
MOST_BYTES = 32 * 1024

_taken: dict[str, str] = {}


class TooManySecrets(Exception):
    """The secret variables together are larger than a pipe holds."""


def get(name: str) -> str | None:
    """Value of a secret variable; None where it is not set.

    Looks into the environment too, for processes that were not started by the command line.
    """
    return _taken.get(name) or os.environ.get(name) or None


def take() -> None:
    """Read the secrets handed over, if any; move those of the environment out of sight.

    Returns at once when the environment holds no secret; otherwise the process executes itself
    again with the same arguments, and it is that second call which returns.
    """
    inherited = os.environ.pop(PIPE, "")
    if inherited:
        _taken.update(_read(int(inherited)))
    open_to_all = {name: os.environ[name] for name in NAMES if name in os.environ}
    if not open_to_all:
        return
    _taken.update({name: value for name, value in open_to_all.items() if value})
    reader = handover()
    os.set_inheritable(reader, True)
    sys.stdout.flush()
    sys.stderr.flush()
    environment = clean(os.environ) | {PIPE: str(reader)}
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)  # noqa: S606 - ourselves


def handover(*, leave_out: Container[str] = ()) -> int:
    """Put the secrets of this process into a new pipe.

    Returns:
        The read end. Pass it on (`pass_fds`) with its number in the variable `PIPE`, beside an
        environment made by `clean()`; close it here afterwards.

    Raises:
        TooManySecrets: they do not fit.
    """
    secrets = {name: value for name in NAMES if name not in leave_out and (value := get(name)) is not None}
    text = json.dumps(secrets).encode()
    if len(text) > MOST_BYTES:
        raise TooManySecrets(f"expected at most {MOST_BYTES} bytes of secret variables, got {len(text)}")
    reader, writer = os.pipe()
    os.write(writer, text)
    os.close(writer)
    return reader


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """A copy of `environment` without any secret in it."""
    return {name: value for name, value in environment.items() if name not in NAMES and name != PIPE}


def _read(descriptor: int) -> dict[str, str]:
    """Everything in the pipe; nothing is left in it for anybody else."""
    with os.fdopen(descriptor, "rb") as pipe:
        text = pipe.read()
    return {str(name): str(value) for name, value in json.loads(text).items()}
