"""Jobs in the admin: the list, the form of a new one, the page of each, and what can be done to it."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from jobs_app import creation, editing, family, lifecycle, output, selectors
from jobs_app.errors import NotCancellable
from jobs_app.models import Job
from taskhub.core import permissions
from taskhub.core.audit import Actor
from taskhub.core.errors import BadInput, TaskhubError
from taskhub.core.pages.admin import Column, Empty, Figure, ListView, PagesAdmin
from taskhub.core.pages.posts import carry_out, post_only, sentence, way_back, who

from . import edit_job, filters, history, job_bulk, job_page, new_job, output_view, questions


def _as_rows(jobs: Any) -> Any:
    """What a row of the list shows, and no more."""
    return jobs.select_related("task", "owner").only(
        *job_page.LIST_FIELDS, "task__name", "task__app", "owner__username"
    )


class JobAdmin(PagesAdmin):
    view_right = "job.view"
    list_title = "Jobs"
    add_right = "job.create"
    change_list_template = "jobs/list.html"
    row_template = "jobs/_job_row.html"
    columns = (
        Column("Job", sort="name"),
        Column("State", sort="state"),
        Column("Progress", sort="-percent"),
        Column("Owner", "th-cell-secondary"),
        Column("Created", sort="-uuid"),
        Column("Took", "th-num"),
        Column("", "th-cell-actions"),
    )
    search_fields = ("name", "public_id")
    search_hint = "Search by name or id"
    list_filter = (
        filters.StateFilter,
        filters.TaskFilter,
        filters.OwnerFilter,
        filters.LanguageFilter,
        filters.PoolFilter,
        filters.CreatedFilter,
        filters.EngineFilter,
    )

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Without a role one sees his own jobs; `get_queryset` leaves out the others.
        return request.user.is_authenticated

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        return selectors.visible_jobs(request.user)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        return (history.search_jobs(queryset, search_term) if search_term else queryset), False

    def figures(self, request: HttpRequest) -> list[Figure]:
        return history.job_figures(timezone.now()) if permissions.allows(request.user, "job.view") else []

    def views(self, request: HttpRequest) -> list[ListView]:
        found = [
            ListView("All", ""),
            ListView("Running", "state=running"),
            ListView("Queued", "state=queued"),
            ListView("Failed, 24 h", "state=failed&created=day"),
        ]
        known = permissions.allows(request.user, "job.view")
        return [*found, ListView("Mine", "owner=mine")] if known else found

    def get_list_filter(self, request: HttpRequest) -> Any:
        # Whoever sees only his own jobs learns no names of tasks and people from the filters either.
        known = permissions.allows(request.user, "job.view")
        return self.list_filter if known else (filters.StateFilter, filters.CreatedFilter)

    def empty(self, request: HttpRequest) -> Empty:
        text = "A job is one run of a task or of a script you paste."
        if self.has_add_permission(request):
            return Empty("No jobs yet", text, self.url("add"), "Run your first script")
        return Empty("No jobs yet", text)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        cl = super().get_changelist_instance(request)
        # Only now: what searches and filters need is not what the rows show.
        cl.result_list = _as_rows(cl.result_list)
        return cl

    def rows(self, request: HttpRequest) -> HttpResponse:
        """The rows of some jobs as they are now, for a list that is open."""
        wanted = job_bulk.keys(request.GET.get("ids", "").split(","))
        found = list(_as_rows(self.get_queryset(request).filter(pk__in=wanted)))
        context = {"rows": found, "row_template": self.row_template, "server_time": timezone.now()}
        return TemplateResponse(request, "pages/rows.html", context)

    @post_only
    def bulk(self, request: HttpRequest) -> HttpResponse:
        """Stop or remove what is ticked: first the question, then, confirmed, the deed."""
        do = request.POST.get("do", "")
        if do not in job_bulk.RIGHTS:
            raise BadInput("do: expected stop or remove", fields={"do": "expected stop or remove"})
        permissions.require(request.user, job_bulk.RIGHTS[do])
        back = way_back(request, self.url("changelist"))
        wanted = job_bulk.keys(request.POST.getlist("job"))
        ticked = list(self.get_queryset(request).filter(pk__in=wanted))
        chosen = [job for job in ticked if job_bulk.fits(do, job)]
        if request.POST.get("confirmed") != "yes":
            return self.page(
                request,
                "jobs/bulk.html",
                f"{job_bulk.VERBS[do]} jobs",
                do=do,
                verb=job_bulk.VERBS[do],
                text=job_bulk.TEXTS[do],
                chosen=chosen,
                left=job_bulk.left_alone(do, ticked, asked=len(wanted)),
                next=back,
            )

        def act() -> str:
            return job_bulk.carry_out(do, chosen, request=request, now=timezone.now())

        return carry_out(request, job_bulk.RIGHTS[do], act, back=back)

    # Pages

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [
            ("add/", self.add_view, "add"),
            ("rows/", self.rows, "rows"),
            ("bulk/", self.bulk, "bulk"),
            ("<uuid:object_id>/parts/", self.parts, "parts"),
            ("<uuid:object_id>/edit/", self.edit, "edit"),
            ("<uuid:object_id>/start/", self.start, "start"),
            ("<uuid:object_id>/stop/", self.stop, "stop"),
            ("<uuid:object_id>/restart/", self.restart, "restart"),
            ("<uuid:object_id>/remove/", self.remove, "remove"),
            ("<uuid:object_id>/output/", self.download, "output"),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        permissions.require(request.user, "job.create")
        form = new_job.NewJobForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                job = creation.create(
                    form.new_job(),
                    owner=who(request),
                    source="manual",
                    trigger="manual",
                    start="_start" in request.POST,
                    by=Actor.of(request),
                    now=timezone.now(),
                )
            except TaskhubError as exc:
                form.refuse(exc)
            else:
                return HttpResponseRedirect(self.url("change", job.pk))
        return self.page(
            request,
            "jobs/new.html",
            "New job",
            form=form,
            status=200 if not form.errors else 422,
            languages=new_job.language_choices(),
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self.shown(request, object_id)
        return self.page(
            request,
            "jobs/job.html",
            job.name,
            **job_page.page(job, request.user, timezone.now()),
            output=output_view.view(job, request.GET)
            if job_page.may_read_output(request.user, job)
            else None,
            streams=output_view.STREAMS,
        )

    def shown(self, request: HttpRequest, object_id: str) -> Job:
        rows = self.get_queryset(request).select_related("task", "owner")
        found: Job = self.row(request, object_id, rows)
        return found

    def parts(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        """What may change on the page of a job while somebody looks at it; the output it asks the API for."""
        job = self.shown(request, str(object_id))
        readable = job_page.may_read_output(request.user, job)
        return TemplateResponse(
            request,
            "jobs/parts.html",
            {
                **job_page.page(job, request.user, timezone.now()),
                "output": output_view.tabs(job, request.GET) if readable else None,
                "server_time": timezone.now(),
            },
        )

    def edit(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        job = self.row(request, str(object_id))
        permissions.require(request.user, "job.edit")
        form = edit_job.EditJobForm(
            request.POST or None, initial={"name": job.name, "description": job.description}
        )
        if request.method == "POST" and form.is_valid():
            try:
                editing.change(job.pk, **form.cleaned_data, by=Actor.of(request), now=timezone.now())
            except TaskhubError as exc:
                form.add_error(None, sentence(exc))
            else:
                return HttpResponseRedirect(self.url("change", job.pk))
        return self.page(
            request,
            "jobs/edit.html",
            f"Rename {job.name}",
            form=form,
            job=job,
            status=422 if form.errors else 200,
        )

    def download(self, request: HttpRequest, object_id: Any) -> HttpResponse | StreamingHttpResponse:
        job = self.row(request, str(object_id))
        if not job_page.may_read_output(request.user, job):
            permissions.require(request.user, "output.view")
        shown = output_view.view(job, request.GET)
        parts = output.download(job.uuid, shown.attempt, stream=shown.stream or None)
        # Text as it was written, never something a browser might run.
        answer = StreamingHttpResponse(parts, content_type="text/plain; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{job.public_id}-{shown.attempt}.log"'
        return answer

    # Actions

    @post_only
    def start(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        job = self.row(request, str(object_id))

        def act() -> str:
            started = lifecycle.start(job.pk, by=Actor.of(request), now=timezone.now())
            return (
                f"{job.name} is queued."
                if started
                else f"{job.name} had been started before; nothing changed."
            )

        return carry_out(request, "job.start", act, back=self.url("change", job.pk))

    @post_only
    def restart(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        job = self.row(request, str(object_id))
        again: list[Job] = []

        def act() -> str:
            again.append(
                lifecycle.restart(
                    job,
                    by=Actor.of(request),
                    owner=who(request),
                    source="manual",
                    trigger="manual",
                    now=timezone.now(),
                )
            )
            return f"{job.name} runs again, as a new job."

        answer = carry_out(request, "job.start", act, back=self.url("change", job.pk))
        return HttpResponseRedirect(self.url("change", again[0].pk)) if again else answer

    def stop(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        job = self.row(request, str(object_id))
        permissions.require(request.user, "job.stop")
        if request.method != "POST":
            question = questions.stop(
                job,
                self.url("stop", job.pk),
                self.url("change", job.pk),
                timezone.now(),
                may_kill=permissions.allows(request.user, "job.kill_now"),
                kill=request.GET.get("now") == "yes",
            )
            return self.page(request, "pages/confirm.html", f"Stop {job.name}", question=question)
        kill_now = request.POST.get("now") == "yes"

        def act() -> str:
            override = kill_now and permissions.allows(request.user, "job.kill_now")
            try:
                stopped = lifecycle.request_cancel(
                    job.pk, by=Actor.of(request), kill_now=override, override=override, now=timezone.now()
                )
            except NotCancellable as exc:
                raise NotCancellable(
                    f"{job.name} was made as a job that cannot be stopped; it keeps running"
                ) from exc
            return f"{job.name} is stopped." if stopped.is_terminal else f"{job.name} was asked to stop."

        return carry_out(
            request, "job.kill_now" if kill_now else "job.stop", act, back=self.url("change", job.pk)
        )

    def remove(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        job = self.row(request, str(object_id))
        permissions.require(request.user, "job.remove")
        if request.method != "POST":
            question = questions.remove(job, self.url("remove", job.pk), self.url("change", job.pk))
            return self.page(request, "pages/confirm.html", f"Remove {job.name}", question=question)

        def act() -> str:
            family.remove(job.pk, by=Actor.of(request), now=timezone.now())
            return f"{job.name} is removed; its history stays."

        answer = carry_out(request, "job.remove", act, back=self.url("change", job.pk))
        gone = not Job.objects.filter(pk=job.pk).exists()
        return HttpResponseRedirect(self.url("changelist")) if gone else answer
