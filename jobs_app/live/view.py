"""The same frames by polling, for whom no socket gets through."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from taskhub.core.api.endpoint import Endpoint
from taskhub.core.api.queries import Query
from taskhub.core.api.rights import SIGNED_IN, token_of

from . import topics
from .frames import stamp, visible
from .reading import Reader


class LiveQuery(Query):
    """What to tell."""

    topics = serializers.CharField(
        max_length=64 * 1024,
        help_text="Joined by commas: `overview`, `jobs:<id>`, `job:<id>`, `output:<id>`, `runspaces:<id>`, "
        "`tasks:<id>`. At most 200 ids a topic and 20 entries; `jobs`, `runspaces` and `tasks` are one each.",
    )


class OutputNow(serializers.Serializer[None]):
    """How much a job's last attempt has printed."""

    attempt = serializers.IntegerField()
    bytes = serializers.IntegerField()
    lines = serializers.IntegerField()
    dropped = serializers.IntegerField()
    complete = serializers.BooleanField()


class LiveFrame(serializers.Serializer[None]):
    """How things are; only topics that have something are there. Rows by the id they were asked for with."""

    now = serializers.DateTimeField(help_text="The server's clock.")
    snapshot = serializers.BooleanField(help_text="Always true here.")
    jobs = serializers.DictField(child=serializers.DictField(), required=False)
    job = serializers.DictField(child=serializers.DictField(), required=False)
    output = serializers.DictField(child=OutputNow(), required=False)
    runspaces = serializers.DictField(child=serializers.DictField(), required=False)
    tasks = serializers.DictField(child=serializers.DictField(), required=False)
    overview = serializers.DictField(required=False)
    gone = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        required=False,
        help_text="Ids of what is not there, or not for the caller, by topic.",
    )
    refused = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="Topics closed to the caller, and why."
    )


class LiveView(Endpoint):
    """How the things a page shows are now."""

    tag = "live"
    rights = {"GET": SIGNED_IN}
    queries = {"get": LiveQuery}

    @extend_schema(responses=LiveFrame)
    def get(self, request: Request) -> Response:
        """Read what a page shows, in one answer.

        The frame that the socket `/ws/live/` sends after a subscription. Jobs that the caller may not
        know of are `gone`; topics closed to his role are `refused`.
        """
        asked = topics.from_query(self.query["topics"])
        rights = topics.rights_of(request.user, token_of(request))
        now = self.now
        shape: dict[str, object] = {"now": stamp(now), "snapshot": True}
        rows: dict[str, dict[str, object]] = {}
        gone: dict[str, list[str]] = {}
        for key, entry in Reader().read(rights.keys(asked), now=now).items():
            seen = visible(key, entry, rights).row
            if seen is None:
                gone.setdefault(key.topic, []).append(key.id)
            elif key.topic == topics.OVERVIEW:
                shape[key.topic] = seen
            else:
                rows.setdefault(key.topic, {})[key.id] = seen
        shape |= rows
        if gone:
            shape["gone"] = {name: sorted(ids) for name, ids in gone.items()}
        if refused := rights.refusals(asked):
            shape["refused"] = refused
        return Response(shape)
