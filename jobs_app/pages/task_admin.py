"""The admin of tasks, with what only jobs know: running one now, and how its runs went."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from jobs_app import task_runs
from jobs_app.models import Execution, Job
from jobs_app.states import OPEN
from taskhub.core.audit import Actor
from taskhub.core.pages.posts import carry_out, post_only, who
from tasks_app.pages.task_admin import TaskAdmin

RUNS = 20


class RunnableTaskAdmin(TaskAdmin):
    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [*super().own_urls(), ("<int:object_id>/run/", self.run, "run")]

    @post_only
    def run(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self.row(request, str(object_id))
        made: list[Job] = []

        def act() -> str:
            made.append(
                task_runs.run_task(
                    task,
                    by=Actor.of(request),
                    owner=who(request),
                    trigger="manual",
                    source="manual",
                    now=timezone.now(),
                )
            )
            return f"{task} runs as {made[0].name}."

        answer = carry_out(request, "task.run", act, back=self.url("change", task.pk))
        if made and "stay" not in request.POST:
            return HttpResponseRedirect(self._job_url(made[0]))
        return answer

    def panels(self, request: HttpRequest, task: Any) -> dict[str, Any]:
        runs = Execution.objects.filter(task=task.pk).order_by("-pk").defer("output_preview")[:RUNS]
        open_jobs = (
            Job.objects.filter(task=task.pk, state__in=OPEN)
            .order_by("-uuid")
            .only(
                "uuid",
                "public_id",
                "name",
                "state",
                "cancel_requested_at",
                "percent",
                "status_message",
                "created_at",
                "started_at",
                "finished_at",
            )
        )
        return {**super().panels(request, task), "runs": list(runs), "open_jobs": list(open_jobs[:RUNS])}

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        super().prepare_rows(rows, request)
        running = set(
            Job.objects.filter(task__in=[task.pk for task in rows], state__in=OPEN).values_list(
                "task", flat=True
            )
        )
        for task in rows:
            task.has_open_job = task.pk in running

    def _job_url(self, job: Job) -> str:
        from django.urls import reverse

        return reverse(f"{self.admin_site.name}:jobs_app_job_change", args=[job.pk])
