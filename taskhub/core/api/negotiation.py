"""In which form an address answers."""

from collections.abc import Iterable
from typing import Any

from django.http import Http404
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request


class ByAcceptOrFormat(DefaultContentNegotiation):
    """By the header or `?format=`. The library calls an unknown format an address that is not there."""

    def filter_renderers(self, renderers: Iterable[BaseRenderer], format: str) -> list[BaseRenderer]:
        try:
            return list(super().filter_renderers(renderers, format))
        except Http404 as exc:
            raise NotAcceptable(available_renderers=list(renderers)) from exc


class AnyAccept(DefaultContentNegotiation):
    """Whatever kind of answer is asked for; refusals come as JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: Any = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)
