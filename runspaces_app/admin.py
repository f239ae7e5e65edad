"""Runspaces and their pools in the admin."""

from django.contrib import admin

from .models import Pool, Runspace
from .pages.pool_admin import PoolAdmin
from .pages.runspace_admin import RunspaceAdmin

admin.site.register(Runspace, RunspaceAdmin)
admin.site.register(Pool, PoolAdmin)
