"""The seven settings as one form."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from taskhub.core import permissions, runtime_settings
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError

from .admin import PagesAdmin
from .posts import carry_out, post_only


class SettingsForm(forms.Form):
    """A field per definition; what is no value of it is refused by the definition itself."""

    def __init__(self, *args: Any, values: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, definition in runtime_settings.DEFINITIONS.items():
            switch = isinstance(definition.default, bool)
            self.fields[name] = (
                forms.BooleanField(required=False, label="On")
                if switch
                else forms.IntegerField(
                    label=definition.label, widget=forms.NumberInput(attrs={"class": "th-input"})
                )
            )
            self.fields[name].initial = values[name]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        for name, value in list(cleaned.items()):
            try:
                runtime_settings.DEFINITIONS[name].checked(value)
            except TaskhubError as exc:
                self.add_error(name, exc.fields.get(name, str(exc)).capitalize())
        return cleaned


class SettingsAdmin(PagesAdmin):
    view_right = "settings.view"
    list_title = "Settings"

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [("<str:name>/reset/", self.reset, "reset")]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        permissions.require(request.user, "settings.view")
        rows = runtime_settings.everything()
        values = {row["name"]: row["value"] for row in rows}
        form = SettingsForm(request.POST or None, values=values)
        if request.method == "POST":
            permissions.require(request.user, "settings.edit")
            if form.is_valid():
                return self._save(request, form, values)
        for row in rows:
            row["field"] = form[row["name"]]
        return self.page(
            request,
            "settings/page.html",
            "Settings",
            rows=rows,
            form=form,
            list_url=None,
            editable=permissions.allows(request.user, "settings.edit"),
            status=422 if form.errors else 200,
        )

    def _save(self, request: HttpRequest, form: SettingsForm, values: dict[str, Any]) -> HttpResponse:
        changed = {name: value for name, value in form.cleaned_data.items() if value != values[name]}
        for name, value in changed.items():
            runtime_settings.set_value(name, value, actor=Actor.of(request), now=timezone.now())
        labels = ", ".join(runtime_settings.DEFINITIONS[name].label for name in changed)
        messages.success(request, f"Changed: {labels}." if changed else "Nothing was changed.")
        return HttpResponseRedirect(self.url("changelist"))

    @post_only
    def reset(self, request: HttpRequest, name: str) -> HttpResponse:
        def act() -> str:
            definition = runtime_settings.DEFINITIONS.get(name)
            default = definition.default if definition else None
            runtime_settings.set_value(name, default, actor=Actor.of(request), now=timezone.now())
            return f"{definition.label if definition else name} has its default again."

        return carry_out(request, "settings.edit", act, back=self.url("changelist"))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(self.url("changelist"))
