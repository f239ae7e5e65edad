"""The form of a copy of a task: its name, its app, and whether it keeps the schedule."""

from typing import Any

from django import forms

from taskhub.core.errors import TaskhubError
from tasks_app.models import Task

from .task_fields import app_choices, select, text


class CopyForm(forms.Form):
    name = text(required=True, max_length=128, help_text="No other task of that app has it.")
    app = select(app_choices, required=False, help_text="A script by its path has to be there too.")
    schedule = text(
        label="Cron",
        max_length=10_000,
        help_text="As it is: the copy is disabled, so that nothing runs twice. Another one: it is enabled. "
        "Blank: by hand only.",
    )

    @staticmethod
    def beginning(task: Task, *, to: str = "") -> dict[str, Any]:
        """What the form begins with; `to` is "app" for a copy that goes elsewhere."""
        name = task.name if to == "app" else f"{task.name[:122]} copy"
        return {"name": name, "app": task.app, "schedule": task.schedule}

    def asked(self, task: Task) -> dict[str, Any]:
        """What `editing.duplicate` is told; call it on a valid form."""
        said = self.cleaned_data
        given = {"name": said["name"], "app": said["app"]}
        if said["schedule"].strip() != task.schedule:
            given["schedule"] = said["schedule"].strip()
        return given

    def refuse(self, error: TaskhubError) -> None:
        """Show an error at the field it names, or on top."""
        placed = [name for name in error.fields if name in self.fields]
        for name in placed:
            self.add_error(name, error.fields[name][:1].upper() + error.fields[name][1:])
        if not placed:
            self.add_error(None, str(error))
