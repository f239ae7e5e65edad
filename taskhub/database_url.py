"""Turn a database URL into what Django calls a database."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from taskhub.environment import BadVariable

EXPECTED = "sqlite:////path/file or postgresql://user:password@host:port/name"


def database(url: str, *, home: Path, name: str) -> dict[str, Any]:
    """One entry of Django's DATABASES.

    Args:
        url: blank for `db.sqlite3` in the data folder. Three slashes after `sqlite:` make the
            path relative to the data folder, four make it absolute. What follows a `?` goes to
            the PostgreSQL client library (`sslmode`, `host` for a socket's folder, ...).
        name: of the variable, for the error.

    Raises:
        BadVariable: another scheme, or a part that is missing or malformed.
    """
    if not url:
        return _sqlite(home / "db.sqlite3")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadVariable(name, EXPECTED, url) from None
    path = unquote(parts.path)
    if parts.scheme == "sqlite" and not parts.netloc and len(path) > 1:
        return _sqlite(home / path[1:])
    if parts.scheme in ("postgresql", "postgres") and len(path) > 1:
        options = dict(parse_qsl(parts.query))
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": path[1:],
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": options.pop("host", parts.hostname or ""),
            "PORT": str(port or options.pop("port", "")),
            "OPTIONS": options,
        }
    raise BadVariable(name, EXPECTED, url)


def _sqlite(file: Path) -> dict[str, Any]:
    return {"ENGINE": "taskhub.core.sqlite", "NAME": str(file)}
