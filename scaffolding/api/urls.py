"""Addresses of apps."""

from django.urls import URLPattern

from taskhub.core.api.routes import both

from . import app_views

urlpatterns: list[URLPattern] = [
    *both("apps", app_views.AppsView.as_view(), "apps"),
    *both("apps/<str:name>", app_views.AppView.as_view(), "app"),
]
