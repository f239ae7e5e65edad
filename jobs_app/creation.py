"""Making a job: everything that may be wrong with it is said before anything is stored."""

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from runspaces_app import errors as runspace_errors
from runspaces_app import languages
from runspaces_app.models import Pool
from scaffolding import hosting
from taskhub.core import audit, ids, runtime_settings, wake
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput, TaskhubError
from taskhub.core.guards import json as json_guard

from .engine import sql
from .errors import (
    CodeDoesNotCompile,
    DuplicateJob,
    JobError,
    LanguageNotInstalled,
    UnknownApp,
    UnknownLanguage,
    UnknownParent,
    UnknownPool,
)
from .models import Job, JobSpec
from .selectors import as_uuid
from .states import JobState

CODE_LIMIT = 1024 * 1024
MAPS_LIMIT = 256 * 1024
PRIORITIES = range(-100, 101)
LONGEST_TIMEOUT = 10 * 365 * 86_400
POOLS_KNOWN_SECONDS = 1.0

_compact = json.JSONEncoder(separators=(",", ":")).encode

_PUBLIC_ID = re.compile(r"[a-z0-9._-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What a caller asks for.

    Attributes:
        code: source text; or `path`, a script inside the folder of `app`.
        timeout: seconds from the start, -1 none, None the setting's default.
        backoff: seconds before the first retry; doubles with each.
        jitter: a retry comes up to a quarter later, by chance.
        public_id: the caller's own id; None makes the uuid the id.
        callback: settings of the call made at the end, as the API takes them.
    """

    language: str
    code: str = ""
    path: str = ""
    app: str = ""
    name: str = ""
    description: str = ""
    public_id: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    pool: str = "default"
    priority: int = 0
    timeout: int | None = None
    cancellable: bool = True
    max_attempts: int = 1
    backoff: float = 30.0
    jitter: bool = False
    idempotent: bool = False
    kill_on_timeout: bool = True
    reuse: bool = True
    parent: UUID | None = None
    callback: Mapping[str, Any] | None = None
    task: int | None = None
    due_at: datetime | None = None
    restarted_from: UUID | None = None


def create(
    new: NewJob,
    *,
    owner: AbstractBaseUser | None,
    source: str,
    trigger: str,
    start: bool,
    by: Actor,
    now: datetime,
    check_code: bool = True,
) -> Job:
    """Store a job, queued if `start`, and wake the engines for it.

    Args:
        check_code: compile the source first, in a process of its own, for up to 2 s.

    Raises:
        JobError or BadInput: naming the field, what was expected and what came; nothing is stored.
    """
    new = checked(new, check_code=check_code)
    uuid = ids.uuid7(now)
    app_or_owner = f"app:{new.app}" if new.app or new.task else f"owner:{owner.pk if owner else ''}"
    state = JobState.QUEUED if start else JobState.CREATED
    public_id = new.public_id or str(uuid)
    job = Job(
        uuid=uuid,
        public_id=public_id,
        name=new.name.strip() or f"Job {public_id}",
        description=new.description,
        state=state,
        language=new.language,
        app=new.app,
        task_id=new.task,
        pool=new.pool,
        owner_id=owner.pk if owner else None,
        source=source,
        trigger=trigger,
        affinity=app_or_owner,
        priority=new.priority,
        timeout=_default_timeout() if new.timeout is None else new.timeout,
        kill_on_timeout=new.kill_on_timeout,
        cancellable=new.cancellable,
        max_attempts=new.max_attempts,
        backoff=new.backoff,
        jitter=new.jitter,
        idempotent=new.idempotent,
        reuse=new.reuse,
        parent_id=new.parent,
        restarted_from=new.restarted_from,
        due_at=new.due_at,
        created_at=now,
        queued_at=now if start else None,
        progress_at=now,
    )
    spec = JobSpec(
        job=job,
        code=new.code,
        path=new.path,
        parameters=_compact(dict(new.parameters)),
        environment=_compact(dict(new.environment)),
        callback=json.dumps(new.callback) if new.callback else "",
    )
    try:
        with transaction.atomic():
            if start:
                # Registered first, so that it comes before the audit entry is written to its file too.
                transaction.on_commit(wake.wake_engines)
            _check_parent(new.parent)
            sql.insert_instance(job)
            sql.insert_instance(spec)
            audit.record(
                actor=by, action="job.create", object_type="job", object_id=str(uuid), now=now,
                after={"id": public_id, "name": job.name, "language": job.language, "state": state},
            )  # fmt: skip
    except IntegrityError as exc:
        if Job.objects.filter(public_id=public_id).exists():
            raise _in_use(public_id) from exc
        raise
    return job


def checked(new: NewJob, *, check_code: bool = True) -> NewJob:
    """The same request with its id folded, or the error that says what is wrong with it.

    Raises:
        JobError or BadInput: naming the first field that is wrong.
    """
    _check_texts(new)
    _check_numbers(new)
    _check_maps(new)
    public_id = _checked_id(new.public_id)
    if not _pool_exists(new.pool):
        raise UnknownPool(
            f"pool: expected the name of a pool, got {new.pool!r}", fields={"pool": "no such pool"}
        )
    _check_source(new, check_code=check_code)
    return replace(new, public_id=public_id)


def _check_texts(new: NewJob) -> None:
    json_guard.check_text(new.name, "name", max_length=200)
    json_guard.check_text(new.description, "description", max_length=10_000)
    json_guard.check_text(new.code, "code", max_length=CODE_LIMIT)
    if len(new.code.encode()) > CODE_LIMIT:
        raise BadInput(
            f"code: expected at most {CODE_LIMIT} bytes, got {len(new.code.encode())}",
            fields={"code": f"at most {CODE_LIMIT} bytes"},
        )


def _check_numbers(new: NewJob) -> None:
    def refuse(name: str, expected: str, value: object) -> None:
        raise BadInput(f"{name}: expected {expected}, got {value!r}", fields={name: f"expected {expected}"})

    if new.priority not in PRIORITIES:
        refuse("priority", "a whole number from -100 to 100", new.priority)
    if new.timeout is not None and new.timeout != -1 and not 0 < new.timeout <= LONGEST_TIMEOUT:
        refuse("timeout", f"seconds from 1 to {LONGEST_TIMEOUT}, or -1 for none", new.timeout)
    if not 1 <= new.max_attempts <= 100:
        refuse("max_attempts", "a whole number from 1 to 100", new.max_attempts)
    if not 0 <= new.backoff <= 86_400:
        refuse("backoff", "seconds from 0 to 86400", new.backoff)


def _check_maps(new: NewJob) -> None:
    json_guard.check_value(new.parameters, "parameters", limit_bytes=MAPS_LIMIT)
    json_guard.check_value(new.environment, "environment", limit_bytes=MAPS_LIMIT)
    both = len(json.dumps(dict(new.parameters))) + len(json.dumps(dict(new.environment)))
    if both > MAPS_LIMIT:
        raise BadInput(
            f"parameters: expected at most {MAPS_LIMIT} bytes together with environment, got {both}",
            fields={"parameters": f"at most {MAPS_LIMIT} bytes together with environment"},
        )
    for name, value in new.environment.items():
        if not _VARIABLE.fullmatch(name) or not isinstance(value, str):
            raise BadInput(
                f"environment: expected names of letters, digits and _ with text values, got {name!r}: {value!r}",
                fields={"environment": f"{name!r} is no variable with a text value"},
            )


def _checked_id(public_id: str | None) -> str | None:
    if public_id is None:
        return None
    folded = public_id.lower()
    # The Kelvin sign, for one, is a letter that only folding makes one of ours.
    if not public_id.isascii() or not _PUBLIC_ID.fullmatch(folded):
        raise BadInput(
            f"id: expected 1 to 64 of A-Z a-z 0-9 . _ -, got {public_id[:80]!r}",
            fields={"id": "1 to 64 of A-Z a-z 0-9 . _ -"},
        )
    # A job is found by its uuid, too: whoever asks by that one must not meet another job.
    if (uuid := as_uuid(folded)) is not None and Job.objects.filter(pk=uuid).exists():
        raise _in_use(folded)
    return folded


def _in_use(public_id: str) -> DuplicateJob:
    return DuplicateJob(f"id: expected an id not in use, got {public_id!r}", fields={"id": "is in use"})


def _check_source(new: NewJob, *, check_code: bool) -> None:
    """The language is there, and the text compiles or the file exists."""
    try:
        language = languages.get(new.language)
    except runspace_errors.UnknownLanguage as exc:
        raise UnknownLanguage(str(exc), fields={"language": "no such language"}) from exc
    if new.task is None and language.interpreter() is None:
        raise LanguageNotInstalled(
            f"language: expected one whose interpreter is installed, got {language.name!r}",
            fields={"language": f"the interpreter of {language.name} is not installed here"},
        )
    if new.app:
        _check_app(new.app)
    if new.task is not None:
        # A run of a task fails with a message if its script is missing, so that the history says so.
        return
    if bool(new.code.strip()) == bool(new.path):
        raise BadInput("code: expected either code or path, got " + ("both" if new.path else "neither"),
                       fields={"code": "give either code or path"})  # fmt: skip
    if new.path:
        if not new.app:
            raise BadInput(
                "path: expected an app that holds the script, got none", fields={"path": "needs app"}
            )
        hosting.resolve(new.app, new.path)
        return
    if check_code and language.checked_at_create:
        try:
            language.check(new.code)
        except languages.CheckFailed as exc:
            raise CodeDoesNotCompile(f"code: {exc}", fields={"code": str(exc)}) from exc


_known_pools: tuple[float, frozenset[str]] = (0.0, frozenset())


def _pool_exists(name: str) -> bool:
    """Asked for every job, so remembered for a second; an unknown name is always looked up."""
    global _known_pools
    now = time.monotonic()
    if now >= _known_pools[0] or name not in _known_pools[1]:
        _known_pools = now + POOLS_KNOWN_SECONDS, frozenset(Pool.objects.values_list("pk", flat=True))
    return name in _known_pools[1]


def _check_app(name: str) -> None:
    try:
        hosting.get(name)
    except TaskhubError as exc:
        raise UnknownApp(
            f"app: expected the name of an app, got {name!r}", fields={"app": "no such app"}
        ) from exc


def _check_parent(parent: UUID | None) -> None:
    """The row is locked, so that a removal of the parent cannot slip between look and insert."""
    if parent is None:
        return
    row = Job.objects.select_for_update().filter(pk=parent).values_list("state", flat=True).first()
    if row is None:
        raise UnknownParent(
            f"parent: expected the id of a job, got {parent}", fields={"parent": "no such job"}
        )


def _default_timeout() -> int:
    return int(runtime_settings.get("default_timeout"))


__all__ = ["JobError", "NewJob", "checked", "create"]
