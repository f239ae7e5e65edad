"""Addresses of jobs, executions and engines, and what jobs add to those of tasks."""

from django.urls import URLPattern

from jobs_app.live.view import LiveView
from taskhub.core.api.routes import both

from . import engine_views, event_views, execution_views, job_actions, job_views, output_views, task_views
from .result_view import ResultView
from .waiting import as_view, ended_job, stopped_first

urlpatterns: list[URLPattern] = [
    *both("jobs", as_view(job_views.JobsView, ended_job), "jobs"),
    *both("jobs/<str:id>", as_view(job_views.JobView, stopped_first), "job"),
    *both("jobs/<str:id>/start", as_view(job_actions.StartView, ended_job), "job-start"),
    *both("jobs/<str:id>/cancel", job_actions.CancelView.as_view(), "job-cancel"),
    *both("jobs/<str:id>/stop", job_actions.CancelView.as_view(), "job-stop"),
    *both("jobs/<str:id>/remove", job_actions.RemoveView.as_view(), "job-remove"),
    *both("jobs/<str:id>/restart", as_view(job_actions.RestartView, ended_job), "job-restart"),
    *both("jobs/<str:id>/result", ResultView.as_view(), "job-result"),
    *both("jobs/<str:id>/output", output_views.OutputView.as_view(), "job-output"),
    *both("jobs/<str:id>/output/search", output_views.SearchView.as_view(), "job-output-search"),
    *both(
        "jobs/<str:id>/output/download",
        as_view(output_views.DownloadView, output_views.download),
        "job-output-download",
    ),
    *both("jobs/<str:id>/events", as_view(event_views.EventsView, event_views.follow), "job-events"),
    *both("live", LiveView.as_view(), "live"),
    *both("executions", execution_views.ExecutionsView.as_view(), "executions"),
    *both("executions/<str:id>", execution_views.ExecutionView.as_view(), "execution"),
    *both("engines", engine_views.EnginesView.as_view(), "engines"),
    *both("engines/<str:id>", engine_views.EngineView.as_view(), "engine"),
    *both("tasks/<str:id>/run", as_view(task_views.RunTaskView, ended_job), "task-run"),
    *both("tasks/<str:id>/history", task_views.TaskHistoryView.as_view(), "task-history"),
]
