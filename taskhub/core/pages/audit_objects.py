"""What entries of the audit log are about, by name: each app says how its own are called and where they are."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from django.urls import reverse

from taskhub.core.models import AuditEntry


class Named(NamedTuple):
    """An object that is still there; `link` is its page."""

    name: str
    link: str


Finder = Callable[[set[str]], dict[str, Named]]
_finders: dict[str, Finder] = {}


def name_by(kind: str, finder: Finder) -> None:
    """Let entries about `kind` be named by `finder`: of these ids, those it knows."""
    _finders[kind] = finder


def add_names(entries: Iterable[AuditEntry]) -> None:
    """Give each entry its object, `named`, or None if that is gone or has no page."""
    found = list(entries)
    for kind in {entry.object_type for entry in found} & _finders.keys():
        of_kind = [entry for entry in found if entry.object_type == kind]
        known = _finders[kind]({entry.object_id for entry in of_kind})
        for entry in of_kind:
            entry.__dict__["named"] = known.get(entry.object_id)


def page_of(name: str, key: object) -> str:
    """The address of a page of the admin."""
    return reverse(f"admin:{name}", args=[key])


def numbers(ids: set[str]) -> set[int]:
    """Those that may be keys of rows; an id may be anything people typed."""
    return {int(key) for key in ids if key.isascii() and key.isdecimal() and len(key) < 16}
