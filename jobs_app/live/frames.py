"""Frames: what differs between what a page was told and how things are."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from .entries import GONE, Entry, encode
from .topics import NAMES, OF_JOBS, OVERVIEW, Key, Rights


def stamp(now: datetime) -> str:
    return now.astimezone(UTC).isoformat().replace("+00:00", "Z")


def visible(key: Key, entry: Entry, rights: Rights) -> Entry:
    """The entry, or GONE if the caller may not know of it."""
    if key.topic in OF_JOBS and not rights.all_jobs and (rights.user is None or entry.owner != rights.user):
        return GONE
    return entry


def differing(
    keys: Iterable[Key], entries: Mapping[Key, Entry], *, rights: Rights, sent: Mapping[Key, Entry]
) -> dict[Key, Entry]:
    """What was not sent yet, as the caller may see it."""
    found = {}
    for key in keys:
        entry = visible(key, entries[key], rights)
        if sent.get(key) is not entry:
            found[key] = entry
    return found


def frame(
    news: Mapping[Key, Entry], *, snapshot: bool, now: datetime, refused: Mapping[str, str] | None = None
) -> str:
    """The text of one frame; only topics that have something stand in it."""
    rows: dict[str, list[str]] = {}
    gone: dict[str, list[str]] = {}
    parts = [f'"now":{encode(stamp(now))},"snapshot":{encode(snapshot)}']
    for key, entry in news.items():
        if entry.row is None:
            gone.setdefault(key.topic, []).append(key.id)
        elif key.topic == OVERVIEW:
            parts.append(f'"{OVERVIEW}":{entry.text}')
        else:
            rows.setdefault(key.topic, []).append(f"{encode(key.id)}:{entry.text}")
    parts.extend(f'"{name}":{{{",".join(rows[name])}}}' for name in NAMES if name in rows)
    if gone:
        parts.append(f'"gone":{encode({name: sorted(ids) for name, ids in gone.items()})}')
    if refused:
        parts.append(f'"refused":{encode(dict(refused))}')
    return "{" + ",".join(parts) + "}"
