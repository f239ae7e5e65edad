"""Django's admin with our site; in a module of its own, as it is read before any model is."""

from django.contrib.admin.apps import AdminConfig


class TaskhubAdminConfig(AdminConfig):
    default_site = "taskhub.admin_site.TaskhubAdminSite"
