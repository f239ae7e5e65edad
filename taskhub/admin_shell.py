"""What stands around every admin page: the menu, the label, the banner, the numbers beside names."""

import socket
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from jobs_app.models import Engine, Job
from jobs_app.states import JobState
from runspaces_app.models import Runspace
from taskhub.admin_site import may_enter
from taskhub.core import permissions

# An engine beats every 5 s; three missed beats mean that nobody runs anything.
SILENT_AFTER = timedelta(seconds=15)
DAY = timedelta(days=1)
CACHE_KEY = "admin.shell"
CACHE_SECONDS = 2


class Pulse(NamedTuple):
    """What the shell says about the whole: read at most every two seconds, for everybody."""

    last_beat: datetime | None
    running: int
    broken: int


def pulse() -> Pulse:
    """Engines' newest beat, jobs that run, runspaces that broke within a day."""
    found: Pulse | None = cache.get(CACHE_KEY)
    if found is None:
        now = timezone.now()
        alive = Engine.objects.filter(state__in=(Engine.State.RUNNING, Engine.State.DRAINING))
        found = Pulse(
            last_beat=alive.order_by("-beat_at").values_list("beat_at", flat=True).first(),
            running=Job.objects.filter(state=JobState.RUNNING).count(),
            broken=Runspace.objects.filter(state=Runspace.State.BROKEN, closed_at__gte=now - DAY).count(),
        )
        cache.set(CACHE_KEY, found, CACHE_SECONDS)
    return found


class Silence(NamedTuple):
    """Nobody runs jobs now; `last_beat` is None if nobody ever did."""

    last_beat: datetime | None


def silence(now: datetime) -> Silence | None:
    """None while an engine beats."""
    last = pulse().last_beat
    if last is not None and now - last <= SILENT_AFTER:
        return None
    if last is None:
        last = Engine.objects.order_by("-beat_at").values_list("beat_at", flat=True).first()
    return Silence(last)


def shell(request: HttpRequest) -> dict[str, Any]:
    """Context of every page in the shell."""
    now = timezone.now()
    inside = request.user.is_authenticated
    return {
        "server_time": now,
        "engine_silence": silence(now) if inside else None,
        "places": places(request.user) if may_enter(request.user) else [],
    }


def host_name(request: HttpRequest) -> str:
    """Under the name of the product: which machine this is; nobody outside is told."""
    return socket.gethostname() if request.user.is_authenticated else "Tasks, jobs and what runs them"


def environment_label(request: HttpRequest) -> list[str] | None:
    """(words, tone) of the label at the top of each page; None for no label."""
    words = settings.TASKHUB_ENVIRONMENT
    if words:
        return [words[:40], "danger" if words.lower().startswith("prod") else "info"]
    return ["Debug", "warning"] if settings.DEBUG else None


class Item(NamedTuple):
    """A line of the menu; `badge` names a number of the pulse and its look, `also` a list that belongs to it."""

    title: str
    icon: str
    target: str
    right: str
    badge: tuple[str, str] | None = None
    query: str = ""
    also: str = ""


OPERATE = (
    Item(
        "Tasks",
        "checklist",
        "admin:tasks_app_task_changelist",
        "task.view",
        also="admin:tasks_app_occurrence_changelist",
    ),
    Item("Jobs", "bolt", "admin:jobs_app_job_changelist", "", ("running", "info")),
    Item("History", "history", "admin:jobs_app_execution_changelist", "execution.view"),
    Item(
        "Runspaces",
        "memory",
        "admin:runspaces_app_runspace_changelist",
        "runspace.view",
        ("broken", "danger"),
    ),
)
CONFIGURE = (
    Item("Pools", "stacks", "admin:runspaces_app_pool_changelist", "pool.view"),
    Item("Languages", "code", "admin:runspaces_app_pool_languages", "language.view"),
    Item("Engines", "settings_suggest", "admin:jobs_app_engine_changelist", "engine.view"),
    Item("Settings", "tune", "admin:core_setting_changelist", "settings.view"),
    Item("Audit log", "receipt_long", "admin:core_auditentry_changelist", "audit.view"),
    Item("Users", "group", "admin:auth_user_changelist", "user.manage"),
    Item("API tokens", "key", "admin:core_apitoken_changelist", "token.manage"),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The menu, with only what this user may open."""
    return [
        {"items": [{"title": "Overview", "icon": "space_dashboard", "link": reverse("admin:index")}]},
        {"title": "Operate", "separator": True, "items": _lines(OPERATE, request)},
        {"title": "Configure", "separator": True, "items": [*_lines(CONFIGURE, request), *_api_docs()]},
    ]


class Place(NamedTuple):
    """A page the palette finds by its name; `key` goes there after a `g`."""

    title: str
    link: str
    key: str = ""


# Pages that are no line of the menu.
BESIDE = (
    Item("New job", "", "admin:jobs_app_job_add", "job.create"),
    Item("New task", "", "admin:tasks_app_task_add", "task.edit"),
    Item("Due times", "", "admin:tasks_app_occurrence_changelist", "task.view"),
    Item("Change password", "", "admin:password_change", ""),
)
_KEYS = {"Tasks": "t", "Jobs": "j", "Runspaces": "r"}


def places(user: User | AnonymousUser) -> list[Place]:
    """Every page with a name that this user may open, as the menu has them."""
    found = [Place("Overview", reverse("admin:index"), "d")]
    for item in (*OPERATE, *CONFIGURE, *BESIDE):
        if _open_to(user, item):
            found.append(Place(item.title, reverse(item.target) + item.query, _KEYS.get(item.title, "")))
    return [*found, *(Place(line["title"], line["link"]) for line in _api_docs())]


def _lines(items: tuple[Item, ...], request: HttpRequest) -> list[dict[str, Any]]:
    shown = [item for item in items if _open_to(request.user, item)]
    lines = [_line(item) for item in shown]
    here = [line["link"] for item, line in zip(shown, lines, strict=True) if _holds(item, request.path)]
    for line in lines:
        # A page may stand below another's address; only the nearer one is where the reader is.
        line["active"] = line["link"] == max(here, key=len, default="")
    return lines


def _holds(item: Item, path: str) -> bool:
    """Whether a page stands below a line of the menu, or below what belongs to it."""
    return any(path.startswith(reverse(name)) for name in (item.target, item.also) if name)


def _open_to(user: User | AnonymousUser, item: Item) -> bool:
    return not item.right or permissions.allows(user, item.right)


def _line(item: Item) -> dict[str, Any]:
    line: dict[str, Any] = {"title": item.title, "icon": item.icon, "link": reverse(item.target) + item.query}
    if item.badge:
        name, look = item.badge
        number = getattr(pulse(), name)
        if number:
            line |= {"badge": str(number), "badge_variant": look}
    return line


def _api_docs() -> list[dict[str, Any]]:
    """The API's own pages, where they are served."""
    from django.urls import NoReverseMatch

    for name in ("api-docs", "docs", "swagger-ui"):
        try:
            return [{"title": "API docs", "icon": "api", "link": reverse(name)}]
        except NoReverseMatch:
            continue
    return []
