"""Pools in the admin: their limits, and the form that changes them."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from runspaces_app import pool_limits
from runspaces_app.models import Pool, Runspace
from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from taskhub.core.pages.admin import Column, Empty, PagesAdmin

_LABELS = {
    "enabled": ("Take jobs", "Switched off, its jobs wait."),
    "min_runspaces": ("Least runspaces", "Kept warm even when nothing runs."),
    "max_runspaces": ("Most runspaces", "So many jobs of this pool run at once."),
    "idle_seconds": (
        "Idle time",
        "Seconds; above the least number, an idle one is closed after this. -1: never.",
    ),
    "grace_seconds": ("Grace", "Seconds a job has after being asked to stop, before it is killed."),
    "drain_seconds": ("Drain time", "Seconds running jobs have when the engine is told to end."),
    "reuse": ("Use again", "Off: a fresh process for each job, safer and slower."),
    "max_jobs": ("Jobs per runspace", "Replaced after so many. -1: no limit."),
    "max_age_seconds": ("Greatest age", "Seconds; replaced when older. -1: no limit."),
    "max_memory_bytes": ("Greatest memory", "Bytes, with children; replaced when above. -1: no limit."),
    "output_cap_bytes": ("Output kept", "Bytes per attempt; the middle of more is dropped. -1: all is kept."),
}


class PoolForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable at run time
    class Meta:
        model = Pool
        fields = tuple(_LABELS)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, help_text) in _LABELS.items():
            field = self.fields[name]
            field.label, field.help_text = label, help_text
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = "th-input"


class PoolAdmin(PagesAdmin):
    view_right = "pool.view"
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
        form = PoolForm(request.POST or None, instance=pool)
        if request.method == "POST" and form.is_valid():
            changes = {name: form.cleaned_data[name] for name in form.changed_data}
            try:
                pool_limits.change(pool.pk, changes, by=Actor.of(request), now=timezone.now())
            except TaskhubError as exc:
                for name, text in exc.fields.items() or [("", str(exc))]:
                    form.add_error(name if name in form.fields else None, text)
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
        from django.contrib import messages

        messages.success(request, f"The pool {pool.name} is changed." if changes else "Nothing was changed.")
        return HttpResponseRedirect(self.url("changelist"))
