"""Every address of the admin, and the right it asks for."""

from typing import NamedTuple


class Page(NamedTuple):
    """An address with a row's name in braces, and the action of the permission table that opens it.

    Attributes:
        right: "" for whoever may enter.
        post: it changes something, and only by POST.
        asks: a GET shows a question first.
        shows: a POST answers with a page of its own.
        data: what a POST has to carry.
    """

    address: str
    right: str
    post: bool = False
    asks: bool = False
    shows: bool = False
    data: tuple[tuple[str, str], ...] = ()

    def sent(self, rows: dict[str, object]) -> dict[str, str]:
        """The data with the rows' ids in it."""
        return {name: value.format(**rows) for name, value in self.data}


PAGES = (
    Page("/admin/", ""),
    Page("/admin/jobs_app/job/", ""),
    Page("/admin/jobs_app/job/add/", "job.create"),
    Page("/admin/jobs_app/job/{job}/change/", "job.view"),
    Page("/admin/jobs_app/job/{failed}/change/", "job.view"),
    Page("/admin/jobs_app/job/{running}/change/", "job.view"),
    Page("/admin/jobs_app/job/{running}/parts/", "job.view"),
    Page("/admin/jobs_app/job/{ended}/edit/", "job.edit"),
    Page("/admin/jobs_app/job/{failed}/output/", "output.view"),
    Page("/admin/jobs_app/job/{running}/stop/", "job.stop", asks=True),
    Page("/admin/jobs_app/job/{ended}/remove/", "job.remove", asks=True),
    Page("/admin/jobs_app/execution/", "execution.view"),
    Page("/admin/jobs_app/execution/{execution}/change/", "execution.view"),
    Page("/admin/jobs_app/engine/", "engine.view"),
    Page("/admin/jobs_app/engine/{engine}/change/", "engine.view"),
    Page("/admin/tasks_app/task/", "task.view"),
    Page("/admin/tasks_app/task/{task}/change/", "task.view"),
    Page("/admin/tasks_app/task/rows/?ids={task}", "task.view"),
    Page("/admin/tasks_app/task/scripts/?app=", "task.edit"),
    Page("/admin/tasks_app/task/add/", "task.edit"),
    Page("/admin/tasks_app/task/{task}/edit/", "task.edit"),
    Page("/admin/tasks_app/task/{task}/duplicate/", "task.edit"),
    Page("/admin/tasks_app/task/{task}/delete/", "task.remove", asks=True),
    Page("/admin/tasks_app/task/{task}/run/", "task.run", asks=True),
    Page("/admin/tasks_app/occurrence/", "task.view"),
    Page("/admin/tasks_app/occurrence/{occurrence}/change/", "task.view"),
    Page("/admin/runspaces_app/runspace/", "runspace.view"),
    Page("/admin/runspaces_app/runspace/{runspace}/change/", "runspace.view"),
    Page("/admin/runspaces_app/runspace/{runspace}/change/?period=24", "runspace.view"),
    Page("/admin/runspaces_app/runspace/rows/?ids={runspace}", "runspace.view"),
    Page("/admin/jobs_app/execution/?runspace={runspace}", "execution.view"),
    Page("/admin/runspaces_app/runspace/{runspace}/close/", "runspace.close", asks=True),
    Page("/admin/runspaces_app/pool/", "pool.view"),
    Page("/admin/runspaces_app/pool/{pool}/change/", "pool.view"),
    Page("/admin/runspaces_app/pool/languages/", "language.view"),
    Page("/admin/core/setting/", "settings.view"),
    Page("/admin/core/auditentry/", "audit.view"),
    Page("/admin/core/auditentry/{audit}/change/", "audit.view"),
    Page("/admin/core/apitoken/", "token.manage"),
    Page("/admin/core/apitoken/add/", "token.manage"),
    Page("/admin/core/apitoken/{token}/revoke/", "token.manage", asks=True),
    Page("/admin/auth/user/", "user.manage"),
    Page("/admin/auth/user/add/", "user.manage"),
    Page("/admin/auth/user/roles/", "user.manage"),
    Page("/admin/auth/user/{user}/change/", "user.manage"),
    Page("/admin/password_change/", ""),
)

# What changes something. Questions stand above too: their GET is a page.
ACTIONS = (
    Page("/admin/jobs_app/job/{job}/start/", "job.start", post=True),
    Page("/admin/jobs_app/job/{ended}/restart/", "job.start", post=True),
    Page("/admin/jobs_app/job/{running}/stop/", "job.stop", post=True, asks=True),
    Page("/admin/jobs_app/job/{ended}/remove/", "job.remove", post=True, asks=True),
    Page("/admin/tasks_app/task/{task}/run/", "task.run", post=True, asks=True),
    Page("/admin/tasks_app/task/{task}/test/", "task.view_code", post=True, shows=True),
    Page("/admin/tasks_app/task/{task}/reset/", "task.edit", post=True),
    Page(
        "/admin/tasks_app/task/bulk/", "task.switch", post=True, data=(("do", "disable"), ("task", "{task}"))
    ),
    Page("/admin/tasks_app/task/bulk/", "task.run", post=True, data=(("do", "run"), ("task", "{task}"))),
    Page("/admin/tasks_app/task/{task}/switch/", "task.switch", post=True),
    Page("/admin/tasks_app/task/{task}/delete/", "task.remove", post=True, asks=True),
    Page("/admin/tasks_app/task/{task}/restore/", "task.remove", post=True),
    Page("/admin/runspaces_app/runspace/{runspace}/close/", "runspace.close", post=True, asks=True),
    Page("/admin/core/setting/max_concurrent_tasks/reset/", "settings.edit", post=True),
    Page("/admin/core/apitoken/{token}/revoke/", "token.manage", post=True, asks=True),
)
