"""Addresses of runspaces, pools and languages."""

from django.urls import URLPattern

from taskhub.core.api.routes import both

from . import language_views, pool_views, runspace_views

urlpatterns: list[URLPattern] = [
    *both("runspaces", runspace_views.RunspacesView.as_view(), "runspaces"),
    *both("runspaces/<str:id>", runspace_views.RunspaceView.as_view(), "runspace"),
    *both("runspaces/<str:id>/samples", runspace_views.SamplesView.as_view(), "runspace-samples"),
    *both("runspaces/<str:id>/close", runspace_views.CloseView.as_view(), "runspace-close"),
    *both("pools", pool_views.PoolsView.as_view(), "pools"),
    *both("pools/<str:name>", pool_views.PoolView.as_view(), "pool"),
    *both("languages", language_views.LanguagesView.as_view(), "languages"),
    *both("languages/<str:name>", language_views.LanguageView.as_view(), "language"),
    *both("languages/<str:name>/check", language_views.CheckView.as_view(), "language-check"),
]
