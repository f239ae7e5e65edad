"""Reads of jobs that more than one caller makes."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import QuerySet

from taskhub.core import permissions

from .errors import JobNotFound
from .models import Job


def visible_jobs(user: AbstractBaseUser | AnonymousUser, token: Any = None) -> QuerySet[Job]:
    """The jobs this caller may know of: all of them with a role, else only his own."""
    if permissions.allows(user, "job.view", token=token):
        return Job.objects.all()
    if not user.is_authenticated:
        return Job.objects.none()
    return Job.objects.filter(owner=user.pk)


def job_by_public_id(user: AbstractBaseUser | AnonymousUser, text: str, token: Any = None) -> Job:
    """The job with this `id` (compared without case) or uuid.

    Raises:
        JobNotFound: there is none, or the caller may not know of it.
    """
    jobs = visible_jobs(user, token)
    folded = text.lower()
    job = jobs.filter(public_id=folded).first() if len(folded) <= 64 and "\0" not in folded else None
    if job is None and (uuid := as_uuid(folded)) is not None:
        job = jobs.filter(pk=uuid).first()
    if job is None:
        raise JobNotFound(f"id: expected the id of a job, got {text[:80]!r}", fields={"id": "no such job"})
    return job


def as_uuid(text: str) -> UUID | None:
    """The uuid that a text spells, with dashes or without."""
    try:
        return UUID(text)
    except ValueError:
        return None
