"""The bars of a task's last runs as SVG, put together in Python: a list shows a thousand of them."""

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from jobs_app.pages.task_strips import WIDTH, Strip, Tick
from taskhub import cells


def drawn(strip: Strip) -> SafeString:
    # Numbers are ours, and what came from rows is escaped in `_bar`.
    return mark_safe("".join(map(_bar, strip.ticks)))  # noqa: S308


def _bar(tick: Tick) -> str:
    run = tick.run
    told = f"{run.status.capitalize()} at {cells.exact(run.finished_at)}"
    if run.duration is not None:
        told += f", took {cells.duration(run.duration)}"
    mark = f'<path d="{tick.mark}"></path>' if tick.mark else ""
    return (
        f'<g class="th-run--{escape(run.status)}"><title>{escape(told)}</title>'
        f'<rect x="{tick.x}" y="{tick.y}" width="{WIDTH}" height="{tick.height}" rx="1"></rect>{mark}</g>'
    )
