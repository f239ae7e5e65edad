"""Filters of the lists: a name, the choices, and what a choice means."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest

Choices = Iterable[tuple[str, str]]


class ChoiceFilter(SimpleListFilter):
    """A filter that stands as a select in the line above a list.

    A value that is not among the choices finds nothing; it is never handed to the database.

    Attributes:
        unset: what the list shows where nothing is chosen, in a word.
    """

    unset = "all"

    offers: Callable[[HttpRequest], Choices]
    narrow: Callable[[QuerySet[Any], str, HttpRequest], QuerySet[Any]]

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        return list(type(self).offers(request))

    def has_output(self) -> bool:
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value not in {str(key) for key, _ in self.lookup_choices}:
            return queryset.none()
        return type(self).narrow(queryset, value, request)

    def chosen(self) -> str:
        """The words of the present choice; "" for all."""
        value = self.value() or ""
        return {str(key): str(words) for key, words in self.lookup_choices}.get(value, value)


def choice_filter(
    name: str,
    title: str,
    offers: Callable[[HttpRequest], Choices],
    narrow: Callable[[QuerySet[Any], str, HttpRequest], QuerySet[Any]],
) -> type[ChoiceFilter]:
    """A filter class for `?name=`, shown as `title`."""
    members = {"parameter_name": name, "title": title, "offers": offers, "narrow": narrow}
    return type(f"{name.title()}Filter", (ChoiceFilter,), members)


def by_field(name: str, title: str, choices: Choices, *, field: str = "") -> type[ChoiceFilter]:
    """A filter that compares a column with one of a few fixed values."""
    fixed = list(choices)
    column = field or name
    return choice_filter(
        name, title, lambda request: fixed, lambda rows, value, request: rows.filter(**{column: value})
    )


class AskedFilter(ChoiceFilter):
    """A number that only an address names: it shows while it is set, and is not offered."""

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> list[tuple[str, str]]:
        value = request.GET.get(self.parameter_name or "", "")
        return [(value, value)] if is_key(value) else []

    def has_output(self) -> bool:
        return bool(self.value())


def asked_filter(
    name: str, title: str, narrow: Callable[[QuerySet[Any], str, HttpRequest], QuerySet[Any]]
) -> type[AskedFilter]:
    """A filter class for `?name=<number>` of links, shown as `title`."""
    return type(
        f"{name.title()}Filter", (AskedFilter,), {"parameter_name": name, "title": title, "narrow": narrow}
    )


def is_key(value: str) -> bool:
    """Whether it may be the number of a row."""
    return value.isascii() and value.isdecimal() and len(value) < 16
