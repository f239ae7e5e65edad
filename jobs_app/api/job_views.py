"""Jobs: list, create, read, change, remove."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app import creation, editing, family, selectors
from jobs_app.creation import NewJob
from jobs_app.errors import JobNotFound, UnknownParent
from jobs_app.models import Job
from taskhub.core.api.endpoint import Endpoint
from taskhub.core.api.fields import NoBody, StrictSerializer
from taskhub.core.api.idempotency import once
from taskhub.core.api.pages import Pages
from taskhub.core.api.rights import SIGNED_IN, token_of

from . import job_lists, job_shapes
from .job_input import JobChanges, JobQuery, NewJobBody, RemoveQuery, WaitQuery
from .job_shapes import JobDetail, JobLine, StartedJob

JOB_ID = {"id": "The job's `id` (without case) or `uuid`."}


class JobEndpoint(Endpoint):
    """An address below one job. Who may not know of the job gets 404, before any other right is asked."""

    tag = "jobs"
    path_parameters = JOB_ID

    def job(self, id: str, action: str = "") -> Job:
        """The job of the path, if the caller may see it and, with an action, may do that.

        Raises:
            JobNotFound, Forbidden.
        """
        job = selectors.job_by_public_id(self.request.user, id, token_of(self.request))
        if action:
            self.require(action)
        return job

    def act(
        self,
        id: str,
        action: str,
        effect: Callable[[Job, dict[str, Any]], Response],
        form: type[StrictSerializer] = NoBody,
    ) -> Response:
        """Do something with the job of the path, once for each `Idempotency-Key`.

        Args:
            effect: gets the job and the body, and answers.
        """  # fmt: skip
        if not self.may(action):
            self.job(id, action)
        return once(
            self.request,
            lambda: (self.job(id), self.body(form)),
            lambda prepared: effect(*prepared),
            now=self.now,
        )

    def shown(self, uuid: UUID) -> dict[str, Any]:
        """The whole of a job as it stands now."""
        job = job_shapes.named(Job.objects.select_related("spec")).filter(pk=uuid).first()
        if job is None:
            raise JobNotFound(f"id: expected the id of a job, got {uuid}")
        return job_shapes.detail(job, user=self.request.user, token=token_of(self.request))


class JobsView(JobEndpoint):
    """All jobs the caller may see."""

    rights = {"GET": SIGNED_IN, "POST": "job.create"}
    queries = {"get": JobQuery, "post": WaitQuery}
    path_parameters = {}
    idempotent_methods = ("post",)
    pagination_class = Pages

    @extend_schema(responses=JobLine(many=True))
    def get(self, request: Request) -> Response:
        """List jobs.

        Newest first. Without a role: only the caller's own.
        """
        jobs = selectors.visible_jobs(request.user, token_of(request))
        return self.page(job_lists.jobs(jobs, self.query), JobLine, complete=job_shapes.lines)

    @extend_schema(request=NewJobBody, responses={201: JobDetail, 202: StartedJob})
    def post(self, request: Request) -> Response:
        """Create a job.

        201 with the job, which waits for its start; with `"start": true` 202 and it is started.
        """
        return once(request, self._checked, self._create, now=self.now)

    def _checked(self) -> tuple[NewJob, bool]:
        given = self.body(NewJobBody)
        start = given.pop("start", False)
        if (parent := given.pop("parent", None)) is not None:
            given["parent"] = self._parent(parent)
        return creation.checked(NewJob(public_id=given.pop("id", None), **given)), start

    def _create(self, prepared: tuple[NewJob, bool]) -> Response:
        new, start = prepared
        made = creation.create(
            new, owner=self.caller, source="api", trigger="api", start=start, by=self.actor,
            now=self.now, check_code=False,
        )  # fmt: skip
        shape = self.shown(made.uuid)
        if start:
            return Response({**shape, "started": True}, status=202)
        return Response(shape, status=201)

    def _parent(self, text: str) -> UUID:
        try:
            return self.job(text).uuid
        except JobNotFound as exc:
            raise UnknownParent(
                f"parent: expected the id of a job, got {text[:80]!r}", fields={"parent": "no such job"}
            ) from exc


class JobView(JobEndpoint):
    """One job."""

    rights = {"GET": SIGNED_IN, "PATCH": SIGNED_IN, "DELETE": SIGNED_IN}
    queries = {"delete": RemoveQuery}
    errors = {"delete": (409, 423)}

    @extend_schema(responses=JobDetail)
    def get(self, request: Request, id: str) -> Response:
        """Read a job.

        `code`, `path`, `parameters` and `environment` are left out for who may not read code.
        """
        return Response(self.shown(self.job(id).uuid))

    @extend_schema(request=JobChanges, responses=JobDetail)
    def patch(self, request: Request, id: str) -> Response:
        """Change name or description."""
        job = self.job(id, "job.edit")
        editing.change(job.uuid, by=self.actor, now=self.now, **self.body(JobChanges))
        return Response(self.shown(job.uuid))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, id: str) -> Response:
        """Remove a job with its descendants and their output.

        409 while one of them has not ended. With `?stop=true` they are stopped first, and the answer
        comes when they have ended. The history keeps their executions.
        """
        job = self.job(id, "job.remove")
        stop = self.query.get("stop", False)
        if stop:
            self.require("job.stop")
        family.remove(job.uuid, by=self.actor, now=self.now, stop=stop)
        return Response(status=204)
