"""The variables Taskhub reads from outside, and typed readers for them.

Each value is read once, at start; what does not fit ends the start with the name of the variable
and the form expected of it. `VARIABLES` is the one list: a reader refuses a name that is not in
it, and the README's table is compared with it by a test.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from taskhub.core import secrets_pipe


class BadVariable(Exception):
    """A variable is set to something that it cannot be."""

    def __init__(self, name: str, expected: str, got: str) -> None:
        shown = "a value that is not shown" if name in secrets_pipe.NAMES else repr(got)
        super().__init__(f"{name}: expected {expected}, got {shown}")
        self.name = name


@dataclass(frozen=True)
class Variable:
    """One row of the table: what may be set, in which form, and what holds if it is not."""

    name: str
    form: str
    default: str
    meaning: str

    @property
    def secret(self) -> bool:
        return self.name in secrets_pipe.NAMES


VARIABLES = (
    Variable("TASKHUB_HOME", "path", "`var/` in a checkout, else `~/.local/share/taskhub`", "data folder"),
    Variable(
        "TASKHUB_DATABASE_URL",
        "`sqlite:////path/file` or `postgresql://user:password@host:port/name`",
        "`db.sqlite3` in the data folder",
        "the database",
    ),
    Variable(
        "TASKHUB_SECRET_KEY",
        "text, 32 characters or more",
        "`secret.key` in the data folder",
        "signs sessions",
    ),
    Variable("TASKHUB_ALLOWED_HOSTS", "names, by commas", "`localhost,127.0.0.1,[::1]`", "host names served"),
    Variable("TASKHUB_BIND", "host:port", "`127.0.0.1:8000`", "where `up`, `serve` and `make run` listen"),
    Variable(
        "TASKHUB_ADMIN_PASSWORD",
        "text",
        "made by chance, printed once",
        "password of the first admin, at first start",
    ),
    Variable(
        "TASKHUB_HTTPS",
        "yes or no",
        "`no`",
        "browsers reach it through a proxy that speaks HTTPS: secure cookies, HSTS",
    ),
    Variable(
        "TASKHUB_DEBUG", "yes or no", "`no`", "error pages with source text; never where others can reach it"
    ),
    Variable("TASKHUB_ENVIRONMENT", "text", "none", "label on every page; red if it begins with `prod`"),
    Variable(
        "TASKHUB_LOG_LEVEL", "DEBUG, INFO, WARNING or ERROR", "`INFO`", "how much the processes log to stderr"
    ),
    Variable(
        "TASKHUB_FAILPOINT", "`name=action`, joined by `;`", "none", "tests only: fail at a named point"
    ),
)
_NAMES = frozenset(variable.name for variable in VARIABLES)

YES = frozenset({"1", "yes", "true", "on"})
NO = frozenset({"0", "no", "false", "off"})


class Bind(NamedTuple):
    """Where to listen; `host` is without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _raw(name: str) -> str:
    """The value as set, without spaces around it; blank and unset are the same."""
    if name not in _NAMES:
        raise LookupError(f"{name} is not in the table of variables")
    value = secrets_pipe.get(name) if name in secrets_pipe.NAMES else os.environ.get(name)
    return (value or "").strip()


def env_text(name: str, default: str = "") -> str:
    return _raw(name) or default


def env_choice(name: str, default: str, *, of: tuple[str, ...]) -> str:
    """One of a few words, in any case."""
    value = (_raw(name) or default).upper()
    if value not in of:
        raise BadVariable(name, f"one of {', '.join(of)}", value)
    return value


def env_int(name: str, default: int, *, least: int | None = None) -> int:
    raw = _raw(name)
    if not raw:
        return default
    expected = "a whole number" if least is None else f"a whole number of at least {least}"
    try:
        value = int(raw)
    except ValueError:
        raise BadVariable(name, expected, raw) from None
    if least is not None and value < least:
        raise BadVariable(name, expected, raw)
    return value


def env_float(name: str, default: float, *, least: float | None = None) -> float:
    raw = _raw(name)
    if not raw:
        return default
    expected = "a number" if least is None else f"a number of at least {least}"
    try:
        value = float(raw)
    except ValueError:
        raise BadVariable(name, expected, raw) from None
    if not (value == value and abs(value) != float("inf")) or (least is not None and value < least):
        raise BadVariable(name, expected, raw)
    return value


def env_bool(name: str, default: bool) -> bool:
    raw = _raw(name).lower()
    if not raw:
        return default
    if raw not in YES | NO:
        raise BadVariable(name, "yes or no", raw)
    return raw in YES


def env_list(name: str, default: list[str]) -> list[str]:
    """Texts divided by commas; blank ones are left out."""
    values = [part.strip() for part in _raw(name).split(",")]
    return [value for value in values if value] or list(default)


def env_path(name: str, default: Path) -> Path:
    """An absolute path; `~` is the home folder, a relative one starts at the working directory."""
    raw = _raw(name)
    if "\0" in raw:
        raise BadVariable(name, "a path", raw)
    try:
        return (Path(raw).expanduser() if raw else default).absolute()
    except RuntimeError:
        raise BadVariable(name, "a path of a user that exists", raw) from None


def parse_bind(text: str, *, name: str) -> Bind:
    """Read `host:port`, `[v6]:port`, `:port` (every address) or `port` (this machine only).

    Raises:
        BadVariable: naming `name`.
    """
    expected = "host:port with a port from 1 to 65535"
    host, colon, port = text.rpartition(":")
    if not colon:
        host = "127.0.0.1"
    elif not host:
        host = "0.0.0.0"  # noqa: S104 - a bare colon asks for every address
    elif host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise BadVariable(name, f"{expected}, an IPv6 address in brackets", text)
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535) or any(c.isspace() for c in host):
        raise BadVariable(name, expected, text)
    return Bind(host, int(port))


def env_bind(name: str, default: str) -> Bind:
    return parse_bind(_raw(name) or default, name=name)
