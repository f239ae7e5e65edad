"""Many jobs of a list at once: which of them can be stopped or removed, asked first, told afterwards."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.http import HttpRequest

from jobs_app import family, lifecycle
from jobs_app.models import Job
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError

MOST = 200
RIGHTS = {"stop": "job.stop", "remove": "job.remove"}
VERBS = {"stop": "Stop", "remove": "Remove"}
TEXTS = {
    "stop": "They are asked to stop; what still runs after its grace is killed. Output and history stay.",
    "remove": "This cannot be undone. Output and results are deleted, also of jobs that came from them; "
    "the history stays.",
}


def keys(texts: Sequence[str]) -> list[UUID]:
    """The uuids among what a page sent, at most as many as a page can show."""
    found = []
    for text in texts[:MOST]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def fits(do: str, job: Job) -> bool:
    """Whether it can be done with the job in its present state."""
    return not job.is_terminal and job.cancellable if do == "stop" else job.is_terminal


def left_alone(do: str, ticked: Sequence[Job], *, asked: int) -> list[str]:
    """What will be left as it is, and why: a sentence for each reason.

    Args:
        ticked: the jobs that are still there, of as many as were `asked` about.
    """
    ended = sum(job.is_terminal for job in ticked)
    found = []
    if do == "stop":
        fixed = sum(not job.is_terminal and not job.cancellable for job in ticked)
        found += [_are(ended, "has ended and is left as it is.", "have ended and are left as they are.")]
        found += [_are(fixed, "cannot be stopped and runs on.", "cannot be stopped and run on.")]
    else:
        found += [_are(len(ticked) - ended, "has not ended and stays.", "have not ended and stay.")]
    found += [_are(asked - len(ticked), "is not there any more.", "are not there any more.")]
    return [sentence for sentence in found if sentence]


def _are(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def carry_out(do: str, jobs: Sequence[Job], *, request: HttpRequest, now: datetime) -> str:
    """Do it with each by itself, and say with how many and what was refused."""
    done = 0
    refused: list[str] = []
    by = Actor.of(request)
    for job in jobs:
        try:
            if do == "stop":
                lifecycle.request_cancel(job.pk, by=by, now=now)
            elif Job.objects.filter(pk=job.pk).exists():
                # One may have gone with its parent a moment ago.
                family.remove(job.pk, by=by, now=now)
            done += 1
        except TaskhubError as exc:
            refused.append(f"{job.name}: {exc}")
    what = "asked to stop" if do == "stop" else "removed"
    words = f"{done} {'job was' if done == 1 else 'jobs were'} {what}"
    return f"{words}, {len(refused)} refused ({'; '.join(refused[:3])})." if refused else f"{words}."
