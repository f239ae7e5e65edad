"""Tags and filters of our templates. This module must never import an `admin.py`: the skin loads
all tag libraries while it is itself being imported."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from django import template
from django.contrib.admin.utils import quote
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.template import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jobs_app.pages import ansi
from jobs_app.pages.task_strips import Strip
from taskhub import cells
from taskhub import run_bars as bars
from taskhub.core import permissions, runtime_settings
from taskhub.core.pages import durations
from taskhub.core.pages.choices import ChoiceFilter

register = template.Library()

register.filter("duration", cells.duration)
register.filter("limit", cells.limit)
register.filter("size", cells.size)
register.filter("exact", cells.exact)

_BADGE = '<span class="th-badge th-tone-{}"><span class="th-shape th-shape--{}"></span>{}</span>'


@register.simple_tag
def badge(state: str) -> SafeString:
    """A state as word, colour and shape."""
    look = cells.badge(state)
    return format_html(_BADGE, look.tone, look.shape, look.words)


@register.simple_tag
def job_badge(job: Any) -> SafeString:
    look = cells.job_badge(job)
    return format_html(_BADGE, look.tone, look.shape, look.words)


@register.simple_tag
def shape(state: str) -> SafeString:
    """The shape alone, where the word stands beside it."""
    look = cells.badge(state)
    return format_html(
        '<span class="th-tone-{0}"><span class="th-shape th-shape--{1}"></span></span>', *look[1:]
    )


@register.simple_tag(takes_context=True)
def when(context: Context, moment: datetime | None, default: str = cells.NOTHING) -> SafeString | str:
    """A moment as a distance from now that the page keeps true; exact on hover and for machines."""
    if moment is None:
        return default
    now = context.get("server_time") or timezone.now()
    return format_html(
        '<relative-time class="th-nowrap" datetime="{}" title="{}">{}</relative-time>',
        moment.isoformat(),
        cells.exact(moment),
        cells.relative(moment, now),
    )


@register.simple_tag(takes_context=True)
def elapsed(context: Context, job: Any) -> str:
    """How long a job ran, or has been running."""
    if job.started_at is None:
        return cells.NOTHING
    end = job.finished_at or context.get("server_time") or timezone.now()
    return cells.duration((end - job.started_at).total_seconds())


@register.filter
def percent(value: float) -> str:
    """Without decimals, and 100 only for what has reached it."""
    return str(int(value))


@register.filter
def own_message(job: Any) -> str:
    """What the job's script, or whoever ended it, said; "" where its badge says as much."""
    message = str(job.status_message)
    return "" if message in cells.DEFAULT_MESSAGES else message


@register.filter
def progress_tone(job: Any) -> str:
    """The bar's colour says how the job stands; its badge says it in words."""
    return "blue" if job.state in ("created", "queued") else cells.job_badge(job).tone


@register.filter
def thousands(number: int) -> str:
    return f"{number:,}"


@register.filter
def short_id(public_id: str) -> str:
    """An id people chose as it is; the end of a generated one, as its beginning is much the same for all."""
    generated = len(public_id) == 36 and public_id.count("-") == 4
    return f"…{public_id[-12:]}" if generated else public_id


@register.filter
def short_uuid(uuid: UUID) -> str:
    return f"…{str(uuid)[-12:]}"


@register.filter
def quote_id(key: int | str | UUID) -> str:
    """A primary key as it stands in an address of the admin."""
    return str(quote(key))


@register.filter
def first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0]


@register.filter
def words(name: str) -> str:
    """A value of code as people write it: run_once, Run once; task.disable, Disable."""
    return name.rpartition(".")[2].replace("_", " ").capitalize()


@register.simple_tag
def run_bars(strip: Strip) -> SafeString:
    """A bar for each run of a strip."""
    return bars.drawn(strip)


@register.filter
def of(values: Mapping[Any, Any], key: Any) -> Any:
    """What stands under a key; nothing if there is no such key."""
    return values.get(key)


@register.filter
def as_switch(value: object) -> object:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


@register.filter
def in_words(seconds: float) -> str:
    """A number of seconds as people say it."""
    return durations.in_words(seconds)


@register.filter
def plain(text: str) -> str:
    """Output without the escapes of a terminal."""
    return "\n".join("".join(run.text for run in ansi.runs(line)) for line in text.split("\n"))


@register.filter
def unlocalized(number: float) -> str:
    """A coordinate: always with a point."""
    return f"{number:g}"


@register.simple_tag(takes_context=True)
def since(context: Context, start: datetime, end: datetime | None = None) -> str:
    """How long something lasted, or has lasted until now."""
    last = end or context.get("server_time") or timezone.now()
    return cells.duration((last - start).total_seconds())


@register.simple_tag
def result_text(text: str) -> dict[str, Any]:
    """A job's result laid out for reading."""
    laid_out, cut = cells.pretty_json(text)
    return {"text": laid_out, "cut": cut}


@register.filter
def clock_time(moment: datetime | None) -> str:
    """The time of day in UTC."""
    return "" if moment is None else moment.strftime("%H:%M:%S")


@register.simple_tag(takes_context=True)
def may(context: Context, action: str) -> bool:
    """Whether who looks at the page may do this; asked once per request and action."""
    request = context["request"]
    known: dict[str, bool] = request.__dict__.setdefault("_taskhub_rights", {})
    if action not in known:
        known[action] = permissions.allows(request.user, action)
    return known[action]


@register.filter
def selects(cl: ChangeList) -> list[ChoiceFilter]:
    """The filters of a list that have something to choose from."""
    return [spec for spec in cl.filter_specs if isinstance(spec, ChoiceFilter)]


@register.simple_tag
def chips(cl: ChangeList) -> list[dict[str, str]]:
    """What a list is narrowed by, each with the address of the list without it."""
    found = [
        {
            "name": str(spec.title),
            "value": spec.chosen(),
            "without": cl.get_query_string(remove=[str(spec.parameter_name)]),
        }
        for spec in selects(cl)
        if spec.value()
    ]
    if cl.query:
        found.append({"name": "Search", "value": cl.query, "without": cl.get_query_string(remove=["q"])})
    return found


@register.simple_tag(takes_context=True)
def is_view(context: Context, query: str) -> bool:
    """Whether a ready-made view is the one shown now; its page and order do not matter."""
    asked = context["request"].GET.items()
    now = {key: value for key, value in asked if key not in (PAGE_VAR, ORDER_VAR, "e")}
    return now == dict(parse_qsl(query))


@register.simple_tag
def auto_refresh_seconds() -> int:
    """How often a page without a live connection asks."""
    return int(runtime_settings.get("auto_refresh_seconds"))


@register.simple_tag
def page_link(cl: ChangeList, number: int) -> str:
    return cl.get_query_string({PAGE_VAR: number})


@register.filter
def row_words(cl: ChangeList) -> tuple[str, str]:
    """What one row of a list and what many are called."""
    words: tuple[str, str] | None = getattr(cl.model_admin, "row_words", None)
    return words or (str(cl.opts.verbose_name), str(cl.opts.verbose_name_plural))


@register.simple_tag
def page_span(cl: ChangeList) -> dict[str, Any]:
    """What a page of a list shows: from, to, of how many, and whether there is more before and behind."""
    first = (cl.page_num - 1) * cl.list_per_page + 1
    shown = len(cl.result_list)
    one, many = row_words(cl)
    return {
        "one": one,
        "many": many,
        "first": first,
        "last": first + shown - 1,
        "count": cl.result_count,
        "more": getattr(cl.paginator, "more", False),
        "before": cl.page_num - 1 if cl.page_num > 1 else None,
        "behind": cl.page_num + 1 if first + shown - 1 < cl.result_count else None,
    }
