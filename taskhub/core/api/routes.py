"""Addresses that answer with and without a slash at their end."""

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path


def both(route: str, view: Callable[..., Any], name: str) -> list[URLPattern]:
    """The canonical address without a slash, and the same with one."""
    return [path(route, view, name=name), path(f"{route}/", view, name=f"{name}-slash")]
