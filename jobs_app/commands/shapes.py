"""Jobs as the commands show them; in JSON as the API does."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from jobs_app.api import job_shapes
from jobs_app.models import Job

JOB_HEADS = ("ID", "NAME", "STATE", "DONE", "OWNER", "STARTED", "TOOK")


def detail(uuid: UUID) -> dict[str, Any]:
    """Whoever runs commands may read the data folder, so nothing is held back."""
    job = job_shapes.named(Job.objects.select_related("spec")).get(pk=uuid)
    return job_shapes.without_code(job) | job_shapes.told(job)


def line(job: Job) -> dict[str, Any]:
    return dict(job_shapes.JobLine(job).data)


def job_cells(job: Any) -> tuple[str, ...]:
    """The cells of a row that was read by `job_shapes.lines`."""
    state = f"{job.state} ({job.reason})" if job.reason else str(job.state)
    took = "" if job.duration is None else f"{job.duration:.1f} s"
    return (
        job.public_id, job.name, "stopping" if job.is_stopping else state, f"{job.percent:.0f} %",
        job.owner_name or "", moment(job.started_at), took,
    )  # fmt: skip


def moment(value: datetime | None) -> str:
    """In UTC, to the second."""
    return "" if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
