from django.apps import AppConfig


class RunspacesConfig(AppConfig):
    name = "runspaces_app"
    verbose_name = "Runspaces"
    default_auto_field = "django.db.models.BigAutoField"
