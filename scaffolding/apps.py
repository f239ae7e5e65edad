from django.apps import AppConfig


class ScaffoldingConfig(AppConfig):
    name = "scaffolding"
    verbose_name = "Apps"
    default_auto_field = "django.db.models.BigAutoField"
