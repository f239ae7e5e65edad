"""How the audit log calls what its entries are about, and where that is shown."""

from django.contrib.auth.models import User
from django.urls import reverse

from jobs_app.models import Job
from jobs_app.selectors import as_uuid
from runspaces_app.models import Pool, Runspace
from taskhub.core.models import ApiToken
from taskhub.core.pages.audit_objects import Named, name_by, numbers, page_of
from tasks_app.models import Task


def _tasks(ids: set[str]) -> dict[str, Named]:
    rows = Task.objects.filter(pk__in=numbers(ids)).only("app", "name")
    return {str(row.pk): Named(str(row), page_of("tasks_app_task_change", row.pk)) for row in rows}


def _jobs(ids: set[str]) -> dict[str, Named]:
    rows = Job.objects.filter(pk__in=filter(None, map(as_uuid, ids))).values_list("pk", "name")
    return {str(key): Named(name, page_of("jobs_app_job_change", key)) for key, name in rows}


def _runspaces(ids: set[str]) -> dict[str, Named]:
    rows = Runspace.objects.filter(pk__in=numbers(ids)).values_list("pk", flat=True)
    return {str(key): Named(str(key), page_of("runspaces_app_runspace_change", key)) for key in rows}


def _pools(ids: set[str]) -> dict[str, Named]:
    rows = Pool.objects.filter(name__in=ids).values_list("pk", "name")
    return {name: Named(name, page_of("runspaces_app_pool_change", key)) for key, name in rows}


def _users(ids: set[str]) -> dict[str, Named]:
    rows = User.objects.filter(pk__in=numbers(ids)).values_list("pk", "username")
    return {str(key): Named(name, page_of("auth_user_change", key)) for key, name in rows}


def _tokens(ids: set[str]) -> dict[str, Named]:
    rows = ApiToken.objects.filter(pk__in=numbers(ids)).values_list("pk", "name")
    listed = reverse("admin:core_apitoken_changelist")
    return {str(key): Named(name, listed) for key, name in rows}


def name_all() -> None:
    for kind, finder in (
        ("task", _tasks),
        ("job", _jobs),
        ("runspace", _runspaces),
        ("pool", _pools),
        ("user", _users),
        ("token", _tokens),
    ):
        name_by(kind, finder)
