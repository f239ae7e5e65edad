"""What is done with a job: start, stop, remove, restart."""

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from jobs_app import family, lifecycle
from jobs_app.models import Job
from jobs_app.states import JobState
from taskhub.core.api.fields import NoBody
from taskhub.core.api.rights import SIGNED_IN

from .job_input import CancelBody, WaitQuery
from .job_shapes import JobDetail, NotStarted, StartedJob
from .job_views import JobEndpoint


class JobAction(JobEndpoint):
    """Something done with one job by POST."""

    rights = {"POST": SIGNED_IN}
    idempotent_methods = ("post",)


class StartView(JobAction):
    """Starting a job."""

    queries = {"post": WaitQuery}

    @extend_schema(
        request=NoBody,
        responses={
            202: StartedJob,
            200: OpenApiResponse(NotStarted, description="It was started or ended before."),
        },
    )
    def post(self, request: Request, id: str) -> Response:
        """Start a job.

        Of many calls one starts it; the others answer 200 `{"started": false}` and do nothing. With
        `?wait=` the answer comes when the job has ended or the time is over.
        """
        return self.act(id, "job.start", self._start)

    def _start(self, job: Job, body: dict[str, Any]) -> Response:
        if not lifecycle.start(job.uuid, by=self.actor, now=self.now):
            return Response({"started": False})
        return Response({**self.shown(job.uuid), "started": True}, status=202)


class CancelView(JobAction):
    """Stopping a job; `cancel` and `stop` are one."""

    errors = {"post": (409, 423)}

    @extend_schema(
        request=CancelBody,
        responses={
            202: OpenApiResponse(JobDetail, description="It runs and was asked to stop."),
            200: OpenApiResponse(JobDetail, description="It had not started and is stopped."),
        },
    )
    def post(self, request: Request, id: str) -> Response:
        """Stop a job.

        202 while it runs: it gets its grace and then is killed. 200 if it had not started. 409 with its
        state if it has ended, 423 if it cannot be cancelled.
        """
        return self.act(id, "job.stop", self._cancel, CancelBody)

    def _cancel(self, job: Job, body: dict[str, Any]) -> Response:
        kill_now = body.get("now", False)
        if kill_now:
            self.require("job.kill_now")
        asked = lifecycle.request_cancel(
            job.uuid, by=self.actor, kill_now=kill_now, override=kill_now, now=self.now
        )
        stopped = asked.state == JobState.STOPPED
        return Response(self.shown(job.uuid), status=200 if stopped else 202)


class RemoveView(JobAction):
    """Removing a job by POST."""

    errors = {"post": (409,)}

    @extend_schema(request=NoBody, responses={204: None})
    def post(self, request: Request, id: str) -> Response:
        """Remove an ended job with its descendants and their output.

        409 while one of them has not ended. The history keeps their executions.
        """
        return self.act(id, "job.remove", self._remove)

    def _remove(self, job: Job, body: dict[str, Any]) -> Response:
        family.remove(job.uuid, by=self.actor, now=self.now)
        return Response(status=204)


class RestartView(JobAction):
    """Doing again what an ended job did."""

    errors = {"post": (409,)}
    queries = {"post": WaitQuery}

    @extend_schema(request=NoBody, responses={202: StartedJob})
    def post(self, request: Request, id: str) -> Response:
        """Run an ended job again.

        As a new job, which names the old one in `restarted_from`.
        """
        return self.act(id, "job.start", self._restart)

    def _restart(self, job: Job, body: dict[str, Any]) -> Response:
        made = lifecycle.restart(
            job, by=self.actor, owner=self.caller, source="api", trigger="api", now=self.now
        )
        return Response({**self.shown(made.uuid), "started": True}, status=202)
