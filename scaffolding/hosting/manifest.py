"""`app.yaml`: what an app says of itself."""

import re
from dataclasses import dataclass
from pathlib import Path

from taskhub.core.errors import TaskhubError
from taskhub.core.guards import yaml

FILE = "app.yaml"
NAME = re.compile(r"[A-Z][A-Za-z0-9]{1,63}")
NAME_RULE = "a capital letter, then 1 to 63 letters and digits"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """The fields Taskhub reads; an app may add its own.

    Attributes:
        problems: what is wrong with it, a sentence each; an app with any is not enabled.
    """

    version: str = ""
    description: str = ""
    enabled: bool = False
    prefix: str = ""
    problems: tuple[str, ...] = ()


def read(file: Path, name: str) -> Manifest:
    """The manifest of the app called `name`; whatever is wrong stands in its problems."""
    try:
        raw = yaml.load(file.read_text(encoding="utf-8"), source=str(file))
    except FileNotFoundError:
        return Manifest(problems=(f"{FILE}: expected a manifest, found none",))
    except (OSError, UnicodeDecodeError) as exc:
        return Manifest(problems=(f"{FILE}: cannot be read: {exc}",))
    except TaskhubError as exc:
        return Manifest(problems=(str(exc),))
    if not isinstance(raw, dict):
        return Manifest(problems=(f"{FILE}: expected fields with values, got {type(raw).__name__}",))
    return _checked(raw, name)


def _checked(raw: dict[object, object], name: str) -> Manifest:
    problems: list[str] = []

    def text(field: str, *aliases: str, needed: bool = False, longest: int = 200) -> str:
        value = next((raw[key] for key in (field, *aliases) if key in raw), None)
        if value is None:
            if needed:
                problems.append(f"{FILE}: {field}: expected a text, found none")
            return ""
        # 1.0 is a number to YAML and a version to everybody else.
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > longest:
            problems.append(
                f"{FILE}: {field}: expected a text of at most {longest} characters, got {value!r:.80}"
            )
            return ""
        return str(value)

    if not NAME.fullmatch(name):
        problems.append(f"folder {name!r}: expected a name of {NAME_RULE}")
    called = text("name", needed=True)
    if called and called != name:
        problems.append(f"{FILE}: name: expected {name!r}, the name of its folder, got {called!r}")
    version = text("version", needed=True)
    enabled = raw.get("enabled")
    if not isinstance(enabled, bool):
        problems.append(f"{FILE}: enabled: expected true or false, got {enabled!r:.80}")
    prefix = text("prefix", "routePrefix", "route_prefix")
    description = text("description", longest=2000)
    return Manifest(
        version=version,
        description=description,
        enabled=enabled is True and not problems,
        prefix=prefix,
        problems=tuple(problems),
    )
