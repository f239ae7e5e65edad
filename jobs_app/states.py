"""The states of a job, the moves between them, and the words other systems use for them.

created ──► queued ──► running ──► completed
   │          │ ▲         │  │───► failed
   │          │ └─retry───┘  └───► stopped
   └──────────┴──────────────────► stopped | failed
"""

from django.db import models


class JobState(models.TextChoices):
    CREATED = "created"
    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    STOPPED = "stopped"


class Reason(models.TextChoices):
    """Why a job failed or was stopped; completed jobs have none."""

    ERROR = "error"
    MEMORY = "memory"
    OUTPUT = "output"
    LOST = "lost"
    TIMEOUT = "timeout"
    EXPIRED = "expired"
    USER = "user"
    SHUTDOWN = "shutdown"


class Status(models.TextChoices):
    """How one attempt ended, in the words of the history."""

    SUCCESS = "success"
    FAILED = "failed"
    LOST = "lost"
    TERMINATED = "terminated"
    STOPPED = "stopped"


class Held(models.TextChoices):
    """Why a queued job may not be claimed yet; blank means it may."""

    RETRY = "retry"
    LIMIT = "limit"
    OVERLAP = "overlap"


TERMINAL = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.STOPPED})
OPEN = frozenset({JobState.CREATED, JobState.QUEUED, JobState.RUNNING})

MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.CREATED: frozenset({JobState.QUEUED, JobState.STOPPED}),
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.FAILED, JobState.STOPPED}),
    JobState.RUNNING: TERMINAL | {JobState.QUEUED},
    JobState.COMPLETED: frozenset(),
    JobState.FAILED: frozenset(),
    JobState.STOPPED: frozenset(),
}

# What an attempt after the first is triggered by.
RETRY = "retry"

# What a query may say instead of a state, compared without case.
SYNONYMS: dict[str, frozenset[JobState]] = {
    "notstarted": frozenset({JobState.CREATED, JobState.QUEUED}),
    "aborted": frozenset({JobState.STOPPED}),
    "terminated": frozenset({JobState.STOPPED}),
    "success": frozenset({JobState.COMPLETED}),
}

_STATUS_BY_REASON = {
    Reason.LOST: Status.LOST,
    Reason.TIMEOUT: Status.TERMINATED,
    Reason.EXPIRED: Status.TERMINATED,
}


def states_named(word: str) -> frozenset[JobState]:
    """The states a word of a query means; empty if it is not one."""
    folded = word.strip().lower()
    if folded in JobState.values:
        return frozenset({JobState(folded)})
    return SYNONYMS.get(folded, frozenset())


def trigger_of(trigger: str, attempt: int) -> str:
    """What an attempt of a job was begun by: the job's own trigger, or the retry that it is."""
    return RETRY if attempt > 1 else trigger


def history_status(state: str, reason: str) -> Status:
    """The status of the Execution row for an attempt that ended in this state and reason."""
    if state == JobState.COMPLETED:
        return Status.SUCCESS
    if reason in _STATUS_BY_REASON:
        return _STATUS_BY_REASON[Reason(reason)]
    return Status.FAILED if state == JobState.FAILED else Status.STOPPED
