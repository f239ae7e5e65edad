"""The admin of runspaces, with what only jobs know: what one runs and ran."""

from collections.abc import Iterable
from uuid import UUID

from django.urls import reverse

from jobs_app.models import Execution, Job
from runspaces_app.models import Runspace
from runspaces_app.pages.runspace_admin import Held, RunspaceAdmin, Work

from . import runspace_runs


class WorkingRunspaceAdmin(RunspaceAdmin):
    def held(self, jobs: Iterable[UUID]) -> dict[UUID, Held]:
        wanted = set(jobs)
        if not wanted:
            return {}
        rows = Job.objects.filter(pk__in=wanted).values_list("pk", "name", "state")
        found = {key: Held(name, state) for key, name, state in rows}
        removed = wanted - found.keys()
        if removed:
            ended = Execution.objects.filter(job__in=removed).order_by("job", "attempt")
            found |= {key: Held(name, "") for key, name in ended.values_list("job", "name")}
        return found

    def work(self, runspace: Runspace) -> Work | None:
        within = runspace_runs.stretch(runspace)
        link = self.history_link(runspace)
        ended = runspace_runs.counts(runspace, within)
        return Work(
            link=link,
            counts=[(status, count, f"{link}&status={status}") for status, count in ended.items()],
            newest=runspace_runs.MOST if within.bounded else None,
        )

    def history_link(self, runspace: Runspace) -> str:
        return f"{reverse('admin:jobs_app_execution_changelist')}?runspace={runspace.pk}"
