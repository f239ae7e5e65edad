"""The bare result of a job."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from jobs_app.models import Job
from jobs_app.states import TERMINAL
from taskhub.core.api.rights import SIGNED_IN

from .job_views import JobEndpoint


class ResultView(JobEndpoint):
    """What a job returned."""

    rights = {"GET": SIGNED_IN}

    @extend_schema(
        responses=OpenApiResponse(OpenApiTypes.ANY, description="Any JSON value, without an envelope.")
    )
    def get(self, request: Request, id: str) -> HttpResponse:
        """Read the result.

        The value itself; `null` until the job has ended, and if it has none.
        """
        job = self.job(id)
        stored: Any = (
            Job.objects.filter(pk=job.pk, state__in=TERMINAL).values_list("result", flat=True).first()
        )
        # Sent as it was stored: parsing it would change numbers that Python cannot hold exactly.
        return HttpResponse("null" if stored is None else stored, content_type="application/json")
