"""Sorting a list by a column: `?o=-name` names the field of one of its columns, a minus the other way round."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.admin.views.main import ORDER_VAR
from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Model, QuerySet
from django.http import HttpRequest
from unfold.views import ChangeList


class Head(NamedTuple):
    """A column's head as it is drawn.

    Attributes:
        sorted: "ascending" or "descending" if the list is sorted by it.
        link: the list sorted by it, the other way round if it is already; "" if it cannot be.
    """

    title: str
    look: str
    sorted: str
    link: str


class Order(NamedTuple):
    """One way to sort, as a choice: the value of the address and the words."""

    value: str
    words: str
    chosen: bool


class SortedChangeList(ChangeList):  # type: ignore[misc] # unfold ships no types
    """A list in the order that its address names; every other word there leaves it as it is."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        known = {column.sort.removeprefix("-") for column in self.model_admin.columns if column.sort}
        order = list(self.model_admin.get_ordering(request) or self._get_default_ordering())
        field = self.asked.removeprefix("-")
        if field in known:
            # Among equal ones the usual order goes on.
            order = [
                _by(self.model, self.asked),
                *(name for name in order if name.removeprefix("-") != field),
            ]
        return list(self._get_deterministic_ordering(order))

    @property
    def asked(self) -> str:
        """The order of the address; "" if it names none."""
        return str(self.params.get(ORDER_VAR, ""))

    def heads(self, usual: str) -> list[Head]:
        """The heads of the columns; `usual` is the order where the address names none."""
        now = self.asked or usual
        found = []
        for column in self.model_admin.columns:
            mine = bool(column.sort) and column.sort.removeprefix("-") == now.removeprefix("-")
            to = _turned(now) if mine else column.sort
            found.append(
                Head(
                    title=column.title,
                    look=column.look,
                    sorted=("descending" if now.startswith("-") else "ascending") if mine else "",
                    link=self.get_query_string({ORDER_VAR: to}) if column.sort else "",
                )
            )
        return found

    def orders(self) -> list[Order]:
        """Both ways of each column, for where the heads cannot be seen."""
        columns = [column for column in self.model_admin.columns if column.sort]
        return [
            Order(value, f"{column.title} {'↓' if value.startswith('-') else '↑'}", value == self.asked)
            for column in columns
            for value in (column.sort, _turned(column.sort))
        ]


def usual_order(ordering: Sequence[Any]) -> str:
    """The first of a list's own fields, if it is a plain one."""
    return ordering[0] if ordering and isinstance(ordering[0], str) else ""


def _turned(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _by(model: type[Model], name: str) -> Any:
    """What has no value stands last, whichever way and on each database."""
    field = name.removeprefix("-")
    try:
        empty = model._meta.get_field(field).null
    except FieldDoesNotExist:
        empty = False
    if not empty:
        return name
    return F(field).desc(nulls_last=True) if name.startswith("-") else F(field).asc(nulls_last=True)
