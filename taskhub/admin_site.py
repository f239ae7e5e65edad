"""The admin's site: who may come in, and what happens when a page raises one of our errors."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite

from taskhub.core import roles
from taskhub.core.errors import TaskhubError
from taskhub.core.pages.posts import sentence

View = Callable[..., HttpResponse]


def may_enter(user: User | AnonymousUser) -> bool:
    """Whether the admin's door opens: to everybody active with a role, and to staff without one.

    A role is enough; `is_staff` need not be kept in step with it. Staff without a role see their
    own jobs. What anybody may do inside is the matter of the permission table alone.
    """
    return user.is_active and user.is_authenticated and (user.is_staff or roles.role_of(user) is not None)


class TaskhubAdminSite(UnfoldAdminSite):  # type: ignore[misc] # unfold ships no types
    site_title = site_header = "Taskhub"
    index_title = "Overview"
    index_template = "overview.html"

    def has_permission(self, request: HttpRequest) -> bool:
        return may_enter(request.user)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """Turn our errors into pages: 404, 403, or back to where one came from with the sentence."""

        @functools.wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return view(request, *args, **kwargs)
            except TaskhubError as exc:
                if exc.status == 404:
                    raise Http404(str(exc)) from exc
                if exc.status in (401, 403):
                    raise PermissionDenied(str(exc)) from exc
                messages.error(request, sentence(exc))
                return HttpResponseRedirect(reverse("admin:index"))

        answer: View = super().admin_view(guarded, cacheable)
        return answer

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from taskhub.admin_overview import overview

        request.current_app = self.name
        context = {
            **self.each_context(request),
            "title": self.index_title,
            "index": True,
            **overview(request),
            **(extra_context or {}),
        }
        return TemplateResponse(request, self.index_template, context)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """There is one overview; Django's page of an app's models would be a second, poorer one."""
        return HttpResponseRedirect(reverse("admin:index"))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        from taskhub.admin_password import OwnPassword

        request.current_app = self.name
        context = {**self.each_context(request), **(extra_context or {})}
        return OwnPassword.as_view(extra_context=context)(request)

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The skin's search is off: it remembers its answers beyond a change of role. The palette asks the API."""
        raise Http404("the skin's search is off")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        from taskhub.admin_shell import shell

        context: dict[str, Any] = super().each_context(request)
        return context | shell(request)
