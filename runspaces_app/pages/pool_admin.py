"""Pools in the admin: their limits, and the form that changes them."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from runspaces_app import pool_limits
from runspaces_app.models import Pool, Runspace
from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from taskhub.core.pages.admin import Column, Empty, PagesAdmin
from taskhub.core.pages.durations import in_words

from . import languages_page

MB = 1024 * 1024
_IN_MB = ("max_memory_bytes", "output_cap_bytes")
_LABELS = {
    "enabled": ("Take jobs", "Switched off, its jobs wait."),
    "reuse": ("Use again", "Off: a fresh process for each job, safer and slower."),
    "min_runspaces": ("Least runspaces", "Kept warm even when nothing runs."),
    "max_runspaces": ("Most runspaces", "So many jobs of this pool run at once."),
    "idle_seconds": ("Idle time, s", "Above the least number, an idle one is closed after this. -1: never."),
    "grace_seconds": ("Grace, s", "A job has this long after being asked to stop, before it is killed."),
    "drain_seconds": ("Drain time, s", "Running jobs have this long when the engine is told to end."),
    "max_jobs": ("Jobs per runspace", "Replaced after so many. -1: no limit."),
    "max_age_seconds": ("Greatest age, s", "Replaced when older. -1: no limit."),
    "max_memory_bytes": ("Greatest memory, MB", "With children; replaced when above. -1: no limit."),
    "output_cap_bytes": ("Output kept, MB", "Per attempt; of more, the middle is dropped. -1: all is kept."),
}


class PoolForm(forms.Form):
    """A field per limit; what it may be is judged by `pool_limits`."""

    def __init__(self, *args: Any, pool: Pool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, help_text) in _LABELS.items():
            value = getattr(pool, name)
            if isinstance(value, bool):
                field: forms.Field = forms.BooleanField(required=False)
            else:
                widget = forms.NumberInput(attrs={"class": "th-input"})
                kind = forms.FloatField if name in ("grace_seconds", "drain_seconds") else forms.IntegerField
                field = kind(widget=widget)
            said = in_words(value) if name.endswith("_seconds") and value != -1 else ""
            field.label, field.help_text = label, f"{help_text} Now {said}." if said else help_text
            field.initial = value // MB if name in _IN_MB and value != -1 else value
            self.fields[name] = field

    def changes(self) -> dict[str, Any]:
        """What differs from the pool, in the units of the pool; call it on a valid form."""
        said = {name: self.cleaned_data[name] for name in self.changed_data}
        return {name: value * MB if name in _IN_MB and value != -1 else value for name, value in said.items()}


class PoolAdmin(PagesAdmin):
    view_right = "pool.view"
    list_title = "Pools"
    row_template = "pools/_row.html"
    columns = (
        Column("Pool"),
        Column("Takes jobs"),
        Column("Open", "th-num"),
        Column("Least to most", "th-num"),
        Column("Idle", "th-num th-cell-secondary"),
        Column("Grace", "th-num th-cell-secondary"),
        Column("Memory", "th-num th-cell-secondary"),
    )

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [("languages/", partial(languages_page.show, self), "languages")]

    def empty(self, request: HttpRequest) -> Empty:
        return Empty("No pools", "“taskhub up” makes the pools default and django.")

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        pools = Runspace.objects.filter(state=Runspace.State.OPENED).order_by().values_list("pool", flat=True)
        opened = list(pools)
        for pool in rows:
            pool.opened = opened.count(pool.name)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        pool = self.row(request, object_id)
        editable = permissions.allows(request.user, "pool.edit")
        if request.method == "POST":
            permissions.require(request.user, "pool.edit")
        form = PoolForm(request.POST or None, pool=pool)
        if request.method == "POST" and form.is_valid():
            changes = form.changes()
            try:
                pool_limits.change(pool.pk, changes, by=Actor.of(request), now=timezone.now())
            except TaskhubError as exc:
                for name, text in exc.fields.items() or [("", str(exc))]:
                    form.add_error(name if name in form.fields else None, text[:1].upper() + text[1:])
            else:
                return self._changed(request, pool, changes)
        for field in form.fields.values():
            field.disabled = not editable
        return self.page(
            request,
            "pools/pool.html",
            pool.name,
            status=422 if form.errors else 200,
            form=form,
            pool=pool,
            editable=editable,
            opened=Runspace.objects.filter(state=Runspace.State.OPENED, pool=pool.name).count(),
        )

    def _changed(self, request: HttpRequest, pool: Pool, changes: dict[str, Any]) -> HttpResponse:
        messages.success(request, f"The pool {pool.name} is changed." if changes else "Nothing was changed.")
        return HttpResponseRedirect(self.url("changelist"))
