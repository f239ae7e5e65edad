"""Addresses of tasks; jobs_app adds those that make or show jobs."""

from django.urls import URLPattern

from taskhub.core.api.routes import both

from . import task_views

urlpatterns: list[URLPattern] = [
    *both("tasks", task_views.TasksView.as_view(), "tasks"),
    *both("tasks/<str:id>", task_views.TaskView.as_view(), "task"),
    *both("tasks/<str:id>/enable", task_views.EnableView.as_view(), "task-enable"),
    *both("tasks/<str:id>/disable", task_views.DisableView.as_view(), "task-disable"),
    *both("tasks/<str:id>/occurrences", task_views.OccurrencesView.as_view(), "task-occurrences"),
    *both("tasks/<str:id>/next-runs", task_views.NextRunsView.as_view(), "task-next-runs"),
]
