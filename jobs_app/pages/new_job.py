"""The form of a new ad-hoc job; what it says is judged by `jobs_app.creation`, not here."""

from typing import Any

from django import forms

from jobs_app.creation import CODE_LIMIT, NewJob
from runspaces_app import languages
from runspaces_app.models import Pool
from taskhub.core.errors import TaskhubError
from taskhub.core.guards import json as json_guard

EXAMPLE = """for step in range(10):
    progress.percent_complete = step * 10
    print("step", step)

{"steps": 10}"""
_MAPS_BYTES = 256 * 1024


def language_choices() -> list[tuple[str, str]]:
    """All languages; the words of one that this machine cannot run say why."""
    return [(language.name, _language_words(language)) for language in languages.all()]


def _language_words(language: languages.Language) -> str:
    if language.interpreter() is not None:
        return language.label
    return f"{language.label} (not installed: needs {' or '.join(language.programs) or 'its interpreter'})"


class LanguageSelect(forms.Select):
    """Shows the languages that cannot be used here, but does not let them be chosen."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if value and languages.get(str(value)).interpreter() is None:
            option["attrs"]["disabled"] = True
        return option


def pool_choices() -> list[tuple[str, str]]:
    return [(name, name) for name in Pool.objects.filter(enabled=True).values_list("name", flat=True)]


class ObjectField(forms.CharField):
    """A JSON object as text; blank is the empty object."""

    widget = forms.Textarea

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text.strip():
            return {}
        try:
            found = json_guard.parse(text.encode("utf-8", "surrogatepass"), limit=_MAPS_BYTES)
        except TaskhubError as exc:
            raise forms.ValidationError(str(exc)) from exc
        if not isinstance(found, dict):
            raise forms.ValidationError('Expected a JSON object such as {"name": "value"}.')
        return found


class NewJobForm(forms.Form):
    """Fields named as `NewJob` names them, so that its errors find their place."""

    language = forms.ChoiceField(choices=language_choices, widget=LanguageSelect)
    name = forms.CharField(
        max_length=200, required=False, help_text="What people will call it; blank: “Job” and its id."
    )
    code = forms.CharField(
        max_length=CODE_LIMIT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 14}),
        label="Code",
        help_text="Python: the last expression is the result. Shell and others: exit code 0 is success.",
    )
    parameters = ObjectField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": '{"days": 7}'}),
        help_text="Python reads context.parameters, others TASKHUB_PARAM_<NAME>. Numbers, true, false, null, "
        "lists and objects keep their kind; in double quotes they are texts.",
    )
    environment = ObjectField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": '{"REPORT_FOLDER": "/srv/reports"}'}),
        help_text="Texts that become environment variables of the script.",
    )
    pool = forms.ChoiceField(choices=pool_choices, initial="default", help_text="Which workers run it.")
    timeout = forms.IntegerField(
        label="Time limit",
        required=False,
        min_value=-1,
        help_text="Seconds from the start; blank: the default of the settings, -1: none.",
    )
    priority = forms.IntegerField(
        required=False, min_value=-100, max_value=100, initial=0, help_text="-100 to 100; higher goes first."
    )

    bad_line: int | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            look = "th-select" if isinstance(field.widget, forms.Select) else "th-input"
            if isinstance(field.widget, forms.Textarea):
                look = "th-textarea th-textarea--code"
                field.widget.attrs |= {"spellcheck": "false", "autocapitalize": "none", "autocomplete": "off"}
            field.widget.attrs["class"] = look
        self.fields["code"].widget.attrs |= {"wrap": "off", "placeholder": EXAMPLE}

    def new_job(self) -> NewJob:
        """What was asked for; call it on a valid form."""
        said = self.cleaned_data
        return NewJob(
            language=said["language"],
            name=said["name"],
            code=said["code"].replace("\r\n", "\n"),
            parameters=said["parameters"],
            environment=said["environment"],
            pool=said["pool"],
            timeout=said["timeout"],
            priority=said["priority"] or 0,
        )

    def refuse(self, error: TaskhubError) -> None:
        """Show an error at the field it names, or on top; `bad_line` is then the line of the code it means."""
        self.bad_line = getattr(error.__cause__, "line", None)
        placed = False
        for name, text in error.fields.items():
            if name in self.fields:
                self.add_error(name, text[:1].upper() + text[1:])
                placed = True
        if not placed:
            self.add_error(None, str(error))
