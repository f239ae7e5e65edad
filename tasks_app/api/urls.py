"""Addresses of tasks; jobs_app adds those that make or show jobs."""

from django.urls import URLPattern

from taskhub.core.api.routes import both

from . import exchange_views, schedule_views, task_actions, task_views

urlpatterns: list[URLPattern] = [
    *both("tasks", task_views.TasksView.as_view(), "tasks"),
    # Before the numbers of tasks, for which they would be taken.
    *both("tasks/preview", schedule_views.PreviewView.as_view(), "tasks-preview"),
    *both("tasks/export", exchange_views.ExportView.as_view(), "tasks-export"),
    *both("tasks/import", exchange_views.ImportView.as_view(), "tasks-import"),
    *both("tasks/<str:id>", task_views.TaskView.as_view(), "task"),
    *both("tasks/<str:id>/enable", task_actions.EnableView.as_view(), "task-enable"),
    *both("tasks/<str:id>/disable", task_actions.DisableView.as_view(), "task-disable"),
    *both("tasks/<str:id>/duplicate", task_actions.DuplicateView.as_view(), "task-duplicate"),
    *both("tasks/<str:id>/copy", task_actions.CopyView.as_view(), "task-copy"),
    *both("tasks/<str:id>/restore", task_actions.RestoreView.as_view(), "task-restore"),
    *both("tasks/<str:id>/reset", task_actions.ResetView.as_view(), "task-reset"),
    *both("tasks/<str:id>/test", task_actions.TestView.as_view(), "task-test"),
    *both("tasks/<str:id>/export", exchange_views.TaskExportView.as_view(), "task-export"),
    *both("tasks/<str:id>/occurrences", schedule_views.OccurrencesView.as_view(), "task-occurrences"),
    *both("tasks/<str:id>/next-runs", schedule_views.NextRunsView.as_view(), "task-next-runs"),
]
