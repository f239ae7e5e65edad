from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "taskhub.core"
    label = "core"
    verbose_name = "Core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import runtime_settings

        # Tables have just been made or emptied: what was read from them counts no more.
        post_migrate.connect(
            runtime_settings.forget_cached, sender=self, dispatch_uid="taskhub.core.runtime_settings"
        )
