"""Users in the admin, and the names of what is audited; roles are fixed, so Django's groups have no page."""

from django.contrib import admin
from django.contrib.auth.models import Group, User

from .admin_audit import name_all
from .admin_users import UserAdmin

for model in (User, Group):
    admin.site.unregister(model)
admin.site.register(User, UserAdmin)
name_all()
