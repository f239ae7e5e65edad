"""What a button of a page does: check the right, call one function, say what happened, go back."""

import functools
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

from taskhub.core import permissions
from taskhub.core.errors import NotSignedIn, TaskhubError

View = Callable[..., HttpResponse]


def post_only(view: View) -> View:
    """Answer anything but a POST with 405: a link, a prefetch or a crawler changes nothing."""

    @functools.wraps(view)
    def guarded(self: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        return view(self, request, *args, **kwargs)

    return guarded


def who(request: HttpRequest) -> User:
    """The signed-in user.

    Raises:
        NotSignedIn: nobody is.
    """
    if isinstance(request.user, User):
        return request.user
    raise NotSignedIn("expected a signed-in user, got none")


def carry_out(request: HttpRequest, right: str, act: Callable[[], str], *, back: str) -> HttpResponse:
    """Do what a button asks for and go back to a page.

    Args:
        right: the action of the permission table.
        act: does it and returns the sentence that says so; its TaskhubError is shown instead.
        back: where to go when the form does not say.

    Raises:
        Forbidden: the right is missing.
        NotFound: the object is unknown, or the caller may not know of it.
    """
    permissions.require(request.user, right)
    try:
        messages.success(request, act())
    except TaskhubError as exc:
        if exc.status == 404:
            raise
        messages.error(request, sentence(exc))
    return HttpResponseRedirect(way_back(request, back))


def way_back(request: HttpRequest, default: str) -> str:
    """The page the form names in `next`, if it is one of ours."""
    named = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(
        named, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return named if named and ours else default


def sentence(error: TaskhubError) -> str:
    """The error as a sentence for people."""
    text = str(error).strip() or "That did not work."
    text = text[0].upper() + text[1:]
    return text if text.endswith((".", "!", "?")) else f"{text}."
