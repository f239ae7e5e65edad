"""The fields that a task can be given in a form; what their values say is judged by `tasks_app.editing`."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms

from runspaces_app import languages
from runspaces_app.models import Pool
from scaffolding.hosting import registry
from taskhub.core.errors import TaskhubError
from taskhub.core.pages.map_field import MapField
from tasks_app.schedule import misfire, overlap

from . import masking

EXAMPLE = 'print("hello from", context.task)\n\n{"rows": 312}'
_DEPENDING = {"app", "language", "schedule", "at", "timezone", "code", "path"}
WAYS = [("cron", "By a schedule"), ("once", "Once"), ("hand", "By hand only")]
_MISFIRE = {
    "skip": "Skip it",
    "run_once": "Run once, for all that was missed",
    "run_all": "Run each, at most 20 of the last 24 hours",
}
_OVERLAP = {
    "skip": "Skip the new run",
    "queue_one": "Let one wait",
    "queue_all": "Let all wait, at most 100",
    "cancel_previous": "Stop the old run",
    "allow": "Run both",
}


def select(choices: Any, **attributes: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=choices, widget=forms.Select(attrs={"class": "th-select"}), **attributes)


def text(*, look: str = "th-input", **attributes: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"class": look, "autocomplete": "off", **attributes.pop("attrs", {})})
    return forms.CharField(widget=widget, **{"required": False, **attributes})


def whole(**attributes: Any) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"class": "th-input", **attributes.pop("attrs", {})})
    return forms.IntegerField(widget=widget, **{"required": False, **attributes})


def code_area(rows: int, **attributes: Any) -> forms.Textarea:
    plain = {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
    return forms.Textarea(
        attrs={"class": "th-textarea th-textarea--code", "rows": rows, **plain, **attributes}
    )


def app_choices() -> list[tuple[str, str]]:
    return [("", "Data folder"), *((app.name, app.name) for app in registry.every())]


def language_choices() -> list[tuple[str, str]]:
    """All languages; the words of one that this machine cannot run say so."""
    found = [("", "Python, or by the suffix of the script")]
    for language in languages.all():
        missing = "" if language.interpreter() is not None else " (not installed here)"
        found.append((language.name, f"{language.label}{missing}"))
    return found


def pool_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in Pool.objects.order_by("name").values_list("name", flat=True)]


def misfire_choices() -> list[tuple[str, str]]:
    return [(name, _MISFIRE.get(name, name)) for name in misfire.POLICIES]


def overlap_choices() -> list[tuple[str, str]]:
    return [(name, _OVERLAP.get(name, name)) for name in overlap.POLICIES]


class OverrideForm(forms.Form):
    """What can be laid over a task out of a file.

    Args:
        known: the parameters and environment that stand now, whose secrets the form shows as a mask.
    """

    enabled = forms.BooleanField(
        required=False, help_text="Enabling never starts it at once; it waits for its next due time."
    )
    when = forms.ChoiceField(
        label="When it runs",
        choices=WAYS,
        widget=forms.RadioSelect,
    )
    schedule = text(
        label="Cron",
        max_length=10_000,
        help_text="Minute, hour, day, month, weekday; or @hourly, @daily, @weekly, @monthly, @yearly.",
        attrs={"placeholder": "0 3 * * *", "spellcheck": "false", "data-cron": ""},
    )
    parameters = MapField(
        required=False,
        widget=code_area(4, placeholder='{"days": 7}'),
        help_text="Python reads context.parameters, others TASKHUB_PARAM_<NAME>. Numbers, true, false, null, "
        "lists and objects keep their kind.",
    )
    environment = MapField(
        required=False,
        widget=code_area(4, placeholder='{"REPORT_FOLDER": "/srv/reports"}'),
        help_text="Texts that become environment variables of the script.",
    )
    max_runtime = whole(
        label="Time limit", help_text="Seconds; blank: the default of the settings, -1: none."
    )
    kill_on_timeout = forms.BooleanField(
        label="End a run that goes beyond it",
        required=False,
        help_text="Otherwise it is only marked as overdue.",
    )
    max_failures = whole(label="Disable after", help_text="Failures in a row; blank: never.")
    max_attempts = whole(label="Attempts", required=True, help_text="1 is no retry.")
    backoff = forms.FloatField(
        label="Wait before a retry",
        widget=forms.NumberInput(attrs={"class": "th-input", "step": "any"}),
        help_text="Seconds; doubles with each.",
    )
    jitter = forms.BooleanField(
        label="Spread retries by chance", required=False, help_text="Up to a quarter later."
    )

    def __init__(self, *args: Any, known: Mapping[str, Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = known
        for name in _DEPENDING & set(self.fields):
            # Not asked for in every case, and yet not simply optional: the label says nothing of it.
            self.fields[name].depends = True  # type: ignore[attr-defined]

    def leave_out_once(self) -> None:
        """Take away the choice of one time, which only the file of a task can say."""
        when = self.fields["when"]
        if isinstance(when, forms.ChoiceField):
            when.choices = [way for way in WAYS if way[0] != "once"]

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or {}
        for name in ("parameters", "environment"):
            if name in said:
                said[name] = masking.restored(said[name], self.known.get(name) or {})
                if place := masking.unknown(said[name]):
                    self.add_error(name, f"Expected a value for {place}, got the mask of a secret.")
        if said.get("when") == "cron" and not said.get("schedule", "").strip():
            self.add_error("schedule", "Expected a cron expression, got none.")
        return said

    def refuse(self, error: TaskhubError) -> None:
        """Show an error at the field it names, or on top."""
        placed = False
        for name, told in error.fields.items():
            field = self.field_of(name)
            if field in self.fields:
                self.add_error(field, told[:1].upper() + told[1:])
                placed = True
        if not placed:
            self.add_error(None, str(error))

    def field_of(self, name: str) -> str:
        """Where an error about `name` is shown."""
        return name.partition(".")[0].partition("[")[0]


class TaskForm(OverrideForm):
    """All of a custom task."""

    name = text(required=True, max_length=128, help_text="No other task of the app has it.")
    app = select(
        app_choices, required=False, help_text="It runs in the folder of this app, and stays with it."
    )
    description = forms.CharField(
        required=False, max_length=10_000, widget=forms.Textarea(attrs={"class": "th-textarea", "rows": 2})
    )
    tags = text(max_length=4000, help_text="Separated by commas.", attrs={"placeholder": "nightly, reports"})
    script = forms.ChoiceField(
        label="What it runs",
        choices=[("code", "Code written here"), ("path", "A script in the app's folder")],
        widget=forms.RadioSelect,
    )
    language = select(language_choices, required=False)
    code = forms.CharField(
        required=False,
        strip=False,
        widget=code_area(14, wrap="off", placeholder=EXAMPLE),
        help_text="Python: the last expression is the result. Shell and others: exit code 0 is success.",
    )
    path = text(
        label="Script",
        max_length=600,
        help_text="Inside the app's folder, such as scripts/report.py.",
        attrs={"list": "th-scripts", "spellcheck": "false"},
    )
    at = forms.CharField(
        label="At",
        required=False,
        widget=forms.DateTimeInput(attrs={"class": "th-input", "type": "datetime-local", "data-at": ""}),
        help_text="On the clock of the time zone. It disables itself after that run.",
    )
    timezone = text(
        label="Time zone",
        max_length=200,
        help_text="An IANA name such as Europe/Berlin.",
        attrs={"list": "th-zones", "spellcheck": "false", "data-timezone": ""},
    )
    misfire = select(misfire_choices, label="When it was missed", help_text="No engine ran when it was due.")
    overlap = select(overlap_choices, label="When the run before goes on")
    pool = select(pool_choices, help_text="Which workers run it.")
    priority = whole(required=True, help_text="-100 to 100; higher goes first.")
    idempotent = forms.BooleanField(
        label="May run twice",
        required=False,
        help_text="A run of which nobody knows how it ended is then tried again.",
    )
    reuse = forms.BooleanField(
        label="Share warm workers", required=False, help_text="Otherwise each run gets a fresh process."
    )

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        if said.get("when") == "once" and not said.get("at", "").strip():
            self.add_error("at", "Expected a date and time, got none.")
        return said

    def field_of(self, name: str) -> str:
        return str(self.data.get("script", "code")) if name == "script" else super().field_of(name)


def json_text(value: Mapping[str, Any]) -> str:
    """A map as the forms show it, its secrets masked."""
    return json.dumps(masking.shown(value), indent=2, ensure_ascii=False) if value else ""
