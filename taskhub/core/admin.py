"""Settings, the audit log and API tokens in the admin."""

from django.contrib import admin

from .models import ApiToken, AuditEntry, Setting
from .pages.audit_admin import AuditAdmin
from .pages.settings_admin import SettingsAdmin
from .pages.token_admin import TokenAdmin

admin.site.register(Setting, SettingsAdmin)
admin.site.register(AuditEntry, AuditAdmin)
admin.site.register(ApiToken, TokenAdmin)
