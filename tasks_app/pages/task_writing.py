"""What people write about tasks in the admin: new ones, changes, copies, removal; one or many."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone

from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from taskhub.core.pages.admin import PagesAdmin
from taskhub.core.pages.posts import carry_out, post_only
from taskhub.core.pages.questions import Question
from tasks_app import editing, script_test
from tasks_app.models import Occurrence, Task
from tasks_app.schedule import zones

from . import bulk, schedules, scripts, task_forms, task_layers
from .task_copies import CopyForm
from .task_fields import OverrideForm, TaskForm


class WritableTaskAdmin(PagesAdmin):
    """The writing part of the admin of tasks; lists and pages are in `TaskAdmin`."""

    def own_urls(self) -> list[tuple[str, Any, str]]:
        one = "<int:object_id>"
        return [
            ("add/", self.add_view, "add"),
            ("bulk/", self.bulk_view, "bulk"),
            ("scripts/", self.scripts_view, "scripts"),
            (f"{one}/edit/", self.edit, "edit"),
            (f"{one}/duplicate/", self.duplicate, "duplicate"),
            (f"{one}/delete/", self.delete, "delete"),
            (f"{one}/restore/", self.restore, "restore"),
            (f"{one}/reset/", self.reset, "reset"),
            (f"{one}/test/", self.test, "test"),
        ]

    def any_task(self, request: HttpRequest, object_id: str) -> Task:
        raise NotImplementedError

    def task_page(self, request: HttpRequest, task: Task, **more: Any) -> HttpResponse:
        raise NotImplementedError

    # Forms

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        permissions.require(request.user, "task.edit")
        start = task_forms.empty(app=request.GET.get("app", ""))
        form = TaskForm(request.POST or None, initial=start, known={})
        if request.method == "POST" and form.is_valid():
            try:
                made = task_forms.create(form, by=Actor.of(request), now=timezone.now())
            except TaskhubError as exc:
                form.refuse(exc)
            else:
                messages.success(request, f"{made} is there.")
                return HttpResponseRedirect(self.url("change", made.pk))
        return self._form(request, form, "New task")

    def edit(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self._present(request, object_id)
        permissions.require(request.user, "task.edit")
        custom = task.source == Task.Source.CUSTOM
        known = {"parameters": task.parameters, "environment": task.environment}
        form = (TaskForm if custom else OverrideForm)(
            request.POST or None, initial=task_forms.initial(task), known=known
        )
        if not custom and task.at is None:
            form.leave_out_once()
        if request.method == "POST" and form.is_valid() and self._edited(request, form, task):
            messages.success(request, f"{task} is changed. It counts from now on.")
            return HttpResponseRedirect(self.url("change", task.pk))
        return self._form(request, form, f"Edit {task.name}", task=task)

    def _edited(self, request: HttpRequest, form: OverrideForm, task: Task) -> bool:
        try:
            changes = (
                task_forms.asked(form, task)
                if isinstance(form, TaskForm)
                else task_forms.laid_over(form, task)
            )
            if changes:
                editing.edit(task.pk, changes, by=Actor.of(request), now=timezone.now())
        except TaskhubError as exc:
            form.refuse(exc)
        return not form.errors

    def _form(
        self, request: HttpRequest, form: OverrideForm, title: str, *, task: Task | None = None
    ) -> HttpResponse:
        custom = isinstance(form, TaskForm)
        app = task.app if task is not None else str(form["app"].value() or "")
        zone = str(form["timezone"].value() or "UTC") if custom else task.timezone if task else "UTC"
        text = str(form["schedule"].value() or "")
        return self.page(
            request,
            "tasks/form.html",
            title,
            status=422 if form.errors else 200,
            form=form,
            task=task,
            custom=custom,
            zone=zone,
            zones=sorted(zones.names()) if custom else [],
            scripts=scripts.of(app) if custom else [],
            preview_words=schedules.text_words(text, zone),
            preview_runs=schedules.previewed(text, zone, timezone.now()) if text else [],
            layers=task_layers.of(task, readable=True) if task is not None else None,
            average=self.average_seconds(task) if task is not None else None,
        )

    def average_seconds(self, task: Task) -> float | None:
        """How long its runs take; None where nobody knows."""
        return None

    def scripts_view(self, request: HttpRequest) -> HttpResponse:
        """The scripts in the folder of an app, for a form whose app was changed."""
        permissions.require(request.user, "task.edit")
        return JsonResponse({"scripts": scripts.of(request.GET.get("app", ""))})

    # One task

    def duplicate(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self._present(request, object_id)
        permissions.require(request.user, "task.edit")
        form = CopyForm(request.POST or None, initial=CopyForm.beginning(task, to=request.GET.get("to", "")))
        if request.method == "POST" and form.is_valid():
            try:
                made = editing.duplicate(
                    task.pk, **form.asked(task), by=Actor.of(request), now=timezone.now()
                )
            except TaskhubError as exc:
                form.refuse(exc)
            else:
                told = "" if made.enabled else " It is disabled, so that nothing runs twice."
                messages.success(request, f"{made} is there.{told}")
                return HttpResponseRedirect(self.url("change", made.pk))
        return self.page(
            request,
            "tasks/copy.html",
            f"Duplicate {task.name}",
            status=422 if form.errors else 200,
            form=form,
            task=task,
        )

    def delete(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self._present(request, object_id)
        permissions.require(request.user, "task.remove")
        if request.method != "POST":
            return self.page(
                request, "pages/confirm.html", f"Delete {task.name}", question=self.delete_question(task)
            )

        def act() -> str:
            editing.delete(task.pk, by=Actor.of(request), now=timezone.now())
            custom = task.source == Task.Source.CUSTOM
            return f"{task} is removed." if custom else f"{task} is deleted. It can be restored."

        back = "changelist" if task.source == Task.Source.CUSTOM else "change"
        return carry_out(
            request, "task.remove", act, back=self.url(back, *([] if back == "changelist" else [task.pk]))
        )

    def delete_question(self, task: Task) -> Question:
        """What is asked before a task goes."""
        custom = task.source == Task.Source.CUSTOM
        decided = Occurrence.objects.filter(task=task).count()
        consequences = (
            [
                "Its definition is gone for good.",
                f"{decided:,} rows of due times go with it.",
                "Its history stays.",
            ]
            if custom
            else ["It does not run and is not listed.", "Its file stays as it is.", "It can be restored."]
        )
        return Question(
            title=f"Delete {task}?",
            text="This cannot be undone." if custom else "It is hidden until somebody restores it.",
            verb="Delete it",
            keep="Keep it",
            action=self.url("delete", task.pk),
            back=self.url("change", task.pk),
            facts=[("Source", "Custom" if custom else "Task file")],
            consequences=consequences,
            danger=True,
        )

    @post_only
    def restore(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self.any_task(request, str(object_id))

        def act() -> str:
            editing.restore(task.pk, by=Actor.of(request), now=timezone.now())
            return f"{task} is back."

        return carry_out(request, "task.remove", act, back=self.url("change", task.pk))

    @post_only
    def reset(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Take back one field that the form names, or all that is overridden."""
        task = self._present(request, object_id)
        field = request.POST.get("field", "")

        def act() -> str:
            editing.reset(task.pk, field=field, by=Actor.of(request), now=timezone.now())
            return f"{f'{field} of {task}' if field else task} is what its file says."

        return carry_out(request, "task.edit", act, back=self.url("change", task.pk))

    @post_only
    def test(self, request: HttpRequest, object_id: int) -> HttpResponse:
        task = self._present(request, object_id)
        permissions.require(request.user, "task.view_code")
        return self.task_page(request, task, report=script_test.test(task))

    # Many tasks

    @post_only
    def bulk_view(self, request: HttpRequest) -> HttpResponse:
        """Do one thing with the tasks that are ticked; deleting asks first."""
        do = request.POST.get("do", "")
        if do not in bulk.RIGHTS:
            raise Http404(f"no action {do[:40]!r}")
        permissions.require(request.user, bulk.RIGHTS[do])
        keys = [int(key) for key in request.POST.getlist("task") if key.isdecimal() and len(key) < 16]
        tasks = list(Task.objects.filter(pk__in=keys[: bulk.MOST], deleted=False))
        if do == "delete" and "confirmed" not in request.POST:
            return self.page(
                request,
                "tasks/delete_many.html",
                "Delete tasks",
                doomed=[task for task in tasks if task.source == Task.Source.CUSTOM],
                kept=[task for task in tasks if task.source != Task.Source.CUSTOM],
                next=request.POST.get("next", ""),
            )

        def act() -> str:
            return bulk.carry_out(do, tasks, one=self.bulk_one(request))

        return carry_out(request, bulk.RIGHTS[do], act, back=self.url("changelist"))

    def bulk_one(self, request: HttpRequest) -> bulk.One:
        """What is done with one task, by the name of the action."""
        by, now = Actor.of(request), timezone.now()
        return lambda do, task: bulk.switch_or_delete(do, task, by=by, now=now)

    def _present(self, request: HttpRequest, object_id: int) -> Task:
        found: Task = self.row(request, str(object_id), Task.objects.filter(deleted=False))
        return found
