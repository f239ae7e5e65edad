"""Tasks and their due times in the admin."""

from django.contrib import admin

from .models import Occurrence, Task
from .pages.occurrence_admin import OccurrenceAdmin
from .pages.task_admin import TaskAdmin

admin.site.register(Task, TaskAdmin)
admin.site.register(Occurrence, OccurrenceAdmin)
