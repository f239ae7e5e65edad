"""Jobs, their history and the engines in the admin; tasks once more, now that they can be run."""

from django.contrib import admin

from tasks_app.models import Task

from .models import Engine, Execution, Job
from .pages.engine_admin import EngineAdmin
from .pages.execution_admin import ExecutionAdmin
from .pages.job_admin import JobAdmin
from .pages.task_admin import RunnableTaskAdmin

admin.site.register(Job, JobAdmin)
admin.site.register(Execution, ExecutionAdmin)
admin.site.register(Engine, EngineAdmin)
admin.site.unregister(Task)
admin.site.register(Task, RunnableTaskAdmin)
