"""Django's admin with our site; in a module of its own, as it is read before any model is.

Its pages are imported with the addresses (`taskhub.urls`): the engine and most commands never need them.
"""

from django.contrib.admin.apps import SimpleAdminConfig


class TaskhubAdminConfig(SimpleAdminConfig):
    default_site = "taskhub.admin_site.TaskhubAdminSite"
