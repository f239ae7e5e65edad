"""What a Python script finds beside `progress`: `context`, `state`, `emit`. Standard library only."""

import datetime
import gc
import json
from collections.abc import Callable
from typing import Any

from .progress import Progress
from .results import Emitted, to_json

Ask = Callable[..., Any]


class Context:
    """Facts about the running job, and what a script may ask of Taskhub."""

    def __init__(self, frame: dict[str, Any], *, ask: Ask, cancelled: Callable[[], bool]) -> None:
        self.parameters: dict[str, Any] = frame["parameters"]
        self.environment: dict[str, str] = frame["environment"]
        self.job_id: str = frame["id"]
        self.task: str | None = frame["task"]
        self.app: str | None = frame["app"]
        self.owner: str | None = frame["owner"]
        self.trigger: str = frame["trigger"]
        self.due_at = _moment(frame["due_at"])
        self.started_at = datetime.datetime.now(datetime.UTC)
        self.attempt: int = frame["attempt"]
        self._ask = ask
        self._cancelled = cancelled

    @property
    def cancelled(self) -> bool:
        """Whether this attempt was asked to stop."""
        return self._cancelled()

    def spawn(
        self,
        code: str = "",
        *,
        path: str = "",
        language: str = "python",
        name: str = "",
        parameters: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
        start: bool = True,
    ) -> str:
        """Make a child job of this one; returns its id.

        Raises:
            ValueError: the job was refused; the text says which field and why.
        """
        spec = {
            "code": code, "path": path, "language": language, "name": name,
            "parameters": parameters or {}, "environment": environment or {}, "start": start,
        }  # fmt: skip
        return str(self._ask("spawn", spec=spec))

    def collect(self) -> int:
        """Run the garbage collector now; returns how many objects it found unreachable."""
        return gc.collect()


class State:
    """Values shared by all jobs of the same app, or of the same owner's ad-hoc jobs; they are JSON."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def __getitem__(self, key: str) -> Any:
        found = self._ask("state_get", key=_key(key))
        if found is None:
            raise KeyError(key)
        return json.loads(found["value"])

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: str) -> bool:
        return self._ask("state_get", key=_key(key)) is not None

    def __setitem__(self, key: str, value: Any) -> None:
        self._ask("state_set", key=_key(key), value=json.dumps(value, allow_nan=False))

    def __delitem__(self, key: str) -> None:
        if not self._ask("state_delete", key=_key(key)):
            raise KeyError(key)

    def keys(self) -> list[str]:
        return list(self._ask("state_keys"))

    def update(self, key: str, fn: Callable[[Any], Any]) -> Any:
        """Replace a value by `fn(value)` (None if there is none) as one step; returns the new one.

        `fn` runs again if another job changed the value meanwhile, so it should have no effects.
        """
        while True:
            found = self._ask("state_get", key=_key(key))
            value = fn(None if found is None else json.loads(found["value"]))
            version = 0 if found is None else found["version"]
            text = json.dumps(value, allow_nan=False)
            if self._ask("state_swap", key=key, value=text, version=version):
                return value


def injected(
    frame: dict[str, Any],
    *,
    ask: Ask,
    cancelled: Callable[[], bool],
    progress: Progress,
    emitted: Emitted,
) -> dict[str, Any]:
    """The names a script finds without importing anything."""

    def emit(value: Any) -> None:
        """Add one item to the job's result, which becomes a list."""
        emitted.add(to_json(value))

    context = Context(frame, ask=ask, cancelled=cancelled)
    return {"progress": progress, "context": context, "state": State(ask), "emit": emit}


def _key(key: Any) -> str:
    if not isinstance(key, str) or not 1 <= len(key) <= 200:
        raise ValueError(f"state: expected a key of 1 to 200 characters, got {key!r:.220}")
    return key


def _moment(text: str | None) -> datetime.datetime | None:
    return None if text is None else datetime.datetime.fromisoformat(text)
