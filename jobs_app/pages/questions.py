"""What is asked before a job is stopped or removed."""

from datetime import datetime

from jobs_app import family
from jobs_app.models import Job
from jobs_app.states import JobState
from taskhub.core.pages.questions import Question


def stop(job: Job, action: str, back: str, now: datetime, *, may_kill: bool, kill: bool = False) -> Question:
    """Asks before a stop; `kill` offers to end it at once as the first choice, to those who may."""
    if job.is_terminal:
        return _ended(job, action, back)
    running = job.state == JobState.RUNNING and job.started_at is not None
    facts = [("Job", job.public_id), ("State", job.get_state_display())]
    if running and job.started_at is not None:
        facts.append(("Runs for", f"{(now - job.started_at).total_seconds():,.0f} s"))
    checks = (
        [("now", "Kill it at once, without asking it to stop first", kill)] if running and may_kill else []
    )
    text = (
        "It is asked to stop. What still runs after the grace of its pool (5 s unless changed) is killed, "
        "with all its processes. Output and history stay."
        if running
        else "It has not begun, so it ends at once as “Cancelled before start”."
    )
    return Question(
        title=f"Kill {job.name} now?" if kill and checks else f"Stop {job.name}?",
        text=text,
        verb="Kill it now" if kill and checks else "Stop the job",
        keep="Keep it running" if running else "Keep it",
        action=action,
        back=back,
        facts=facts,
        checks=checks,
    )


def _ended(job: Job, action: str, back: str) -> Question:
    """It ended while somebody looked at it: no button is left to press."""
    return Question(
        title=f"{job.name} has ended",
        text="There is nothing to stop.",
        verb="",
        keep="Back",
        action=action,
        back=back,
        facts=[("Job", job.public_id), ("State", job.get_state_display())],
    )


def remove(job: Job, action: str, back: str) -> Question:
    children = len(family.descendants(job.pk))
    lines = ["its output and result are deleted", "its history stays, until retention removes it"]
    if children:
        lines.insert(0, f"{children} jobs that came from it go with it")
    return Question(
        title=f"Remove {job.name}?",
        text="This cannot be undone.",
        verb="Remove the job",
        keep="Keep it",
        action=action,
        back=back,
        facts=[("Job", job.public_id), ("State", job.get_state_display())],
        consequences=lines,
        danger=True,
    )
