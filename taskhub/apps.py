from django.apps import AppConfig


class TaskhubConfig(AppConfig):
    """The wiring as an app: its commands, and nothing that has a model."""

    name = "taskhub"
    verbose_name = "Taskhub"
