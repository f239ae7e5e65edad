"""Jobs, their history and the engines in the admin; tasks and runspaces once more, now that jobs are known."""

from django.contrib import admin

from runspaces_app.models import Runspace
from tasks_app.models import Task

from .models import Engine, Execution, Job
from .pages.engine_admin import EngineAdmin
from .pages.execution_admin import ExecutionAdmin
from .pages.job_admin import JobAdmin
from .pages.runspace_admin import WorkingRunspaceAdmin
from .pages.task_admin import RunnableTaskAdmin

admin.site.register(Job, JobAdmin)
admin.site.register(Execution, ExecutionAdmin)
admin.site.register(Engine, EngineAdmin)
admin.site.unregister(Task)
admin.site.register(Task, RunnableTaskAdmin)
admin.site.unregister(Runspace)
admin.site.register(Runspace, WorkingRunspaceAdmin)
