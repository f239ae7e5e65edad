"""The admin of tasks, with what only jobs know: running one now, and how its runs went."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from jobs_app import task_runs
from jobs_app.models import Execution, Job
from jobs_app.states import JobState
from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from taskhub.core.pages.admin import Figure
from taskhub.core.pages.map_field import MapField
from taskhub.core.pages.posts import sentence, way_back, who
from taskhub.core.pages.questions import Question
from tasks_app.models import Task
from tasks_app.pages import bulk, masking
from tasks_app.pages.task_admin import TaskAdmin, stamp
from tasks_app.pages.task_fields import code_area, json_text

from . import figures, task_days, task_strips

RUNS = 20
AVERAGE_OF = 20
_SHOWN = (
    "uuid", "public_id", "name", "state", "cancel_requested_at", "percent", "status_message", "created_at",
    "started_at", "finished_at",
)  # fmt: skip


class ParametersForm(forms.Form):
    parameters = MapField(
        required=False,
        widget=code_area(5),
        help_text="For this run only. What you leave out stays as the task has it.",
    )


class RunnableTaskAdmin(TaskAdmin):
    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [*super().own_urls(), ("<int:object_id>/run/", self.run, "run")]

    def figures(self, request: HttpRequest) -> list[Figure]:
        found = super().figures(request)
        running = Job.objects.filter(state=JobState.RUNNING, task__isnull=False)
        tasks = running.order_by().values("task").distinct().count()
        bad = figures.ended_since(timezone.now() - timedelta(days=1)).bad
        past = reverse(f"{self.admin_site.name}:jobs_app_execution_changelist")
        return [
            *found[:2],
            Figure("Running", f"{tasks:,}", "?status=running"),
            *found[2:],
            Figure("Failed runs, 24 h", f"{bad:,}", f"{past}?status=bad&ended=day", "red" if bad else ""),
        ]

    def run(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Run it now: a GET asks for parameters, a POST runs it with those it brings."""
        task: Task = self.row(request, str(object_id), Task.objects.filter(deleted=False))
        permissions.require(request.user, "task.run")
        may_change = permissions.allows(request.user, "task.edit")
        begin = {"parameters": json_text(task.parameters)}
        form = ParametersForm(request.POST if "parameters" in request.POST else None, initial=begin)
        if request.method == "POST":
            if form.is_bound:
                permissions.require(request.user, "task.edit")
            if not form.is_bound or form.is_valid():
                done = self._started(request, task, form)
                if done is not None:
                    return done
        return self.page(
            request,
            "tasks/run.html",
            f"Run {task.name}",
            status=422 if form.errors else 200,
            task=task,
            form=form if may_change else None,
        )

    def _started(self, request: HttpRequest, task: Task, form: ParametersForm) -> HttpResponse | None:
        """The way to the new job; None if the form has something to mend."""
        parameters = _overlay(form, task) if form.is_bound else {}
        if place := masking.unknown(parameters):
            form.add_error("parameters", f"Expected a value for {place}, got the mask of a secret.")
            return None
        try:
            job = self._run(request, task, parameters)
        except TaskhubError as exc:
            if form.is_bound and "parameters" in exc.fields:
                form.add_error("parameters", sentence(exc))
                return None
            messages.error(request, sentence(exc))
            return HttpResponseRedirect(way_back(request, self.url("change", task.pk)))
        messages.success(request, f"{task} runs as {job.name}.")
        if "stay" in request.POST:
            return HttpResponseRedirect(way_back(request, self.url("change", task.pk)))
        return HttpResponseRedirect(reverse(f"{self.admin_site.name}:jobs_app_job_change", args=[job.pk]))

    def _run(self, request: HttpRequest, task: Task, parameters: dict[str, Any]) -> Job:
        return task_runs.run_task(
            task,
            by=Actor.of(request),
            owner=who(request),
            trigger="manual",
            source="manual",
            parameters=parameters,
            now=timezone.now(),
        )

    def bulk_one(self, request: HttpRequest) -> bulk.One:
        others = super().bulk_one(request)

        def one(do: str, task: Task) -> bool:
            if do != "run":
                return others(do, task)
            self._run(request, task, {})
            return True

        return one

    def delete_question(self, task: Task) -> Question:
        question = super().delete_question(task)
        runs = Execution.objects.filter(task=task.pk).count()
        waiting = Job.objects.filter(task=task.pk, finished_at=None).count()
        question.facts.append(("History", f"{runs:,} {'run' if runs == 1 else 'runs'}, which stay"))
        if waiting:
            question.facts.append(("Open jobs", f"{waiting:,}"))
        return question

    def average_seconds(self, task: Task) -> float | None:
        runs = task_strips.newest([task.pk], runs=AVERAGE_OF).get(task.pk, [])
        took = [run.duration for run in runs if run.duration is not None]
        return sum(took) / len(took) if took else None

    def panels(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        runs = Execution.objects.filter(task=task.pk).order_by("-pk")[:RUNS]
        jobs = Job.objects.filter(task=task.pk, finished_at=None).order_by("-uuid").only(*_SHOWN)
        open_jobs = list(jobs[:RUNS])
        running = any(job.state == JobState.RUNNING for job in open_jobs)
        return {
            **super().panels(request, task),
            "runs": list(runs),
            "open_jobs": open_jobs,
            "week": task_days.week(task.pk, timezone.now()),
            "see_output": permissions.allows(request.user, "output.view"),
            "stamp": stamp(task, running=running),
        }

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        super().prepare_rows(rows, request)
        keys = [task.pk for task in rows]
        runs = task_strips.newest(keys)
        open_jobs = (
            Job.objects.filter(task__in=keys, finished_at=None).order_by().values_list("task", "state")
        )
        states: dict[int, set[str]] = {}
        for key, state in open_jobs.distinct():
            states.setdefault(key, set()).add(state)
        for task in rows:
            found = states.get(task.pk, set())
            task.open_state = next(
                (state for state in ("running", "queued", "created") if state in found), ""
            )
            task.strip = task_strips.strip(runs[task.pk])
            task.last_duration = runs[task.pk][0].duration if runs[task.pk] else None
            task.stamp = stamp(task, running=task.open_state == "running")


def _overlay(form: ParametersForm, task: Task) -> dict[str, Any]:
    """What the form changes of the task's parameters."""
    wanted: dict[str, Any] = masking.restored(form.cleaned_data["parameters"], task.parameters)
    return {
        key: value
        for key, value in wanted.items()
        if key not in task.parameters or task.parameters[key] != value
    }
