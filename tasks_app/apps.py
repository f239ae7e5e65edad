from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks_app"
    verbose_name = "Tasks"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from scaffolding import hosting

        from . import definitions

        # An app's task file is judged here; its problems are shown where apps are listed.
        hosting.add_check(definitions.problems)
