"""Addresses of what all parts share: audit, settings, tokens."""

from django.urls import URLPattern

from . import audit_views, setting_views, token_views
from .routes import both

urlpatterns: list[URLPattern] = [
    *both("audit", audit_views.AuditView.as_view(), "audit"),
    *both("audit/<str:id>", audit_views.AuditEntryView.as_view(), "audit-entry"),
    *both("settings", setting_views.SettingsView.as_view(), "settings"),
    *both("settings/<str:name>", setting_views.SettingView.as_view(), "setting"),
    *both("settings/<str:name>/reset", setting_views.ResetView.as_view(), "setting-reset"),
    *both("tokens", token_views.TokensView.as_view(), "tokens"),
    *both("tokens/<str:id>", token_views.TokenView.as_view(), "token"),
]
