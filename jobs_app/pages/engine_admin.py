"""The engines in the admin: which processes run jobs, and since when they are silent."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from jobs_app.models import Engine, Job
from runspaces_app.models import Runspace
from taskhub.core.pages.admin import Column, Empty, Figure, ListView, PagesAdmin
from taskhub.core.pages.choices import choice_filter

SILENT_AFTER_SECONDS = 15
ALIVE = (Engine.State.RUNNING, Engine.State.DRAINING)


_STATES = [("beating", "Running, beating"), ("silent", "Running, silent"), *Engine.State.choices]


def _in_state(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    if value not in ("beating", "silent"):
        return rows.filter(state=value)
    alive = rows.filter(state__in=ALIVE)
    since = timezone.now() - timedelta(seconds=SILENT_AFTER_SECONDS)
    return alive.filter(beat_at__gte=since) if value == "beating" else alive.filter(beat_at__lt=since)


class EngineAdmin(PagesAdmin):
    view_right = "engine.view"
    list_title = "Engines"
    row_template = "engines/_row.html"
    columns = (
        Column("Engine"),
        Column("State"),
        Column("Last beat"),
        Column("Started", "th-cell-secondary"),
        Column("Stopped", "th-cell-secondary"),
        Column("Version", "th-cell-secondary"),
    )
    list_filter = (choice_filter("state", "State", lambda request: _STATES, _in_state),)

    def figures(self, request: HttpRequest) -> list[Figure]:
        alive = list(Engine.objects.filter(state__in=ALIVE))
        silent = sum(shown_state(engine) == "silent" for engine in alive)
        return [
            Figure("Running", str(len(alive) - silent), "?state=beating"),
            Figure("Silent", str(silent), "?state=silent", "red" if silent else ""),
        ]

    def views(self, request: HttpRequest) -> list[ListView]:
        return [
            ListView("All", ""),
            ListView("Running", "state=beating"),
            ListView("Stopped", "state=stopped"),
        ]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty("No engine has run yet", "Start one with “taskhub up” or “taskhub run_engine”.")

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        for engine in rows:
            engine.shown_state = shown_state(engine)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        engine = self.row(request, object_id)
        return self.page(
            request,
            "engines/page.html",
            f"Engine {engine.pk}",
            engine=engine,
            state=shown_state(engine),
            runspaces=Runspace.objects.filter(engine=engine.pk, state=Runspace.State.OPENED).count(),
            in_hand=Job.objects.filter(
                engine=engine.pk, runspace__isnull=False, finished_at__isnull=True
            ).count(),
        )


def shown_state(engine: Engine) -> str:
    """What the row says, or `silent` for one that says it runs and has not beaten for 15 s."""
    if engine.state in ALIVE and (timezone.now() - engine.beat_at).total_seconds() > SILENT_AFTER_SECONDS:
        return "silent"
    return str(engine.state)
