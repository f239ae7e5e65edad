"""Where each address leads."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

# Here and not when the apps are set up: only who answers requests needs the pages.
admin.autodiscover()

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
]
if find_spec("taskhub.api"):
    urlpatterns.append(path("", include("taskhub.api")))

handler400 = "taskhub.admin_errors.bad_request"
handler403 = "taskhub.admin_errors.forbidden"
handler404 = "taskhub.admin_errors.not_found"
handler500 = "taskhub.admin_errors.broken"
