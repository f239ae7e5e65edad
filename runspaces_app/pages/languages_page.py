"""The page of the languages: which there are, which this machine can run, how a script speaks to Taskhub."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from runspaces_app import languages
from runspaces_app.languages import Language
from taskhub.core import permissions
from taskhub.core.pages.admin import PagesAdmin


def show(owner: PagesAdmin, request: HttpRequest) -> HttpResponse:
    """The page, in the shell of the admin that holds it."""
    permissions.require(request.user, "language.view")
    every = [row(language) for language in languages.all()]
    usable = [each for each in every if each["installed"]]
    only_usable = request.GET.get("show") == "usable"
    return owner.page(
        request,
        "languages/page.html",
        "Languages",
        list_url=None,
        rows=usable if only_usable else every,
        usable=len(usable),
        all=len(every),
        only_usable=only_usable,
    )


def row(language: Language) -> dict[str, Any]:
    installed = language.interpreter() is not None
    return {
        "name": language.name,
        "label": language.label,
        "suffix": language.suffix,
        "installed": installed,
        "version": language.version() if installed else None,
        "install": language.install,
        "where": "inside the runspace" if language.in_process else "as a process of its own",
        "check": "when a job is made" if language.checked_at_create else "when asked for",
        "snippet": language.snippet.strip(),
    }
