"""The base of our admin pages: rights from the one table, lists that stay quick, no write but ours."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from taskhub.core import permissions

from .paging import CappedPaginator
from .sorting import SortedChangeList, usual_order


class Column(NamedTuple):
    """A column of a list.

    Attributes:
        look: a class of its head.
        sort: the field to sort by, "-" before it if the greatest comes first at the first click; "" if
            the list cannot be sorted by it.
    """

    title: str
    look: str = ""
    sort: str = ""


class Figure(NamedTuple):
    """A number above a list, with the address of the list it counts.

    `told_as`: the name by which the live channel tells the number.
    """

    label: str
    value: str
    link: str = ""
    tone: str = ""
    told_as: str = ""


class ListView(NamedTuple):
    """A ready-made view of a list: its name and the query string that makes it."""

    name: str
    query: str


class Empty(NamedTuple):
    """What an empty list says: what belongs here, and the next step."""

    title: str
    text: str
    link: str = ""
    link_text: str = ""


class PagesAdmin(ModelAdmin):  # type: ignore[misc] # unfold ships no types
    """A list and a page of one model, drawn by our own templates.

    Django's forms, bulk deletion and change log are off: whatever changes something is a POST of
    its own that calls a function of the app. Subclasses set what follows and override
    `change_view` for the page of one row.

    Attributes:
        view_right: the action of the permission table that opens list and page.
        add_right: the action that may make new rows; "" if nobody does it here.
        row_template: one `<tr>`, given `row`.
        row_words: what one row and many are called, where the pages use another word than the model.
        list_title: the name of the list, also in the trail of its pages.
        search_hint: what the search box looks at; no box if blank.
    """

    view_right = ""
    add_right = ""
    columns: Sequence[Column] = ()
    row_template = ""
    row_words: tuple[str, str] | None = None
    list_title = ""
    search_hint = ""

    change_list_template = "pages/list.html"
    paginator = CappedPaginator
    show_full_result_count = False
    list_per_page = 50
    list_max_show_all = 0
    # Which columns a list is sorted by is said by `Column.sort`; where there may be a million rows, only
    # by one that an index serves.
    sortable_by = ()
    actions = None
    show_add_link = False

    # Rights

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return permissions.allows(request.user, self.view_right)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(self.add_right) and permissions.allows(request.user, self.add_right)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters of the page; nobody feels his way to a password hash by `?owner__password`."""
        return any(getattr(known, "parameter_name", "") == lookup for known in self.list_filter)

    # Addresses

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [path(route, wrap(view), name=self.url_name(name)) for route, view, name in self.own_urls()]
        return [
            path("", wrap(self.changelist_view), name=self.url_name("changelist")),
            *own,
            path("<path:object_id>/change/", wrap(self.change_view), name=self.url_name("change")),
        ]

    def own_urls(self) -> list[tuple[str, Any, str]]:
        """Routes of this admin beside list and page: (route, view, name)."""
        return []

    def url_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"

    def url(self, name: str, *args: object) -> str:
        return reverse(f"{self.admin_site.name}:{self.url_name(name)}", args=args)

    # The list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[SortedChangeList]:
        return SortedChangeList

    def figures(self, request: HttpRequest) -> list[Figure]:
        return []

    def views(self, request: HttpRequest) -> list[ListView]:
        return []

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(f"No {self.opts.verbose_name_plural} yet", "")

    def note(self, request: HttpRequest) -> str:
        """What a person has to know about what this list shows or leaves out; mostly nothing."""
        return ""

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the list's template needs besides."""
        return {}

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        """Fetch at once what the rows of one page need besides themselves."""

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            raise PermissionDenied
        response: HttpResponse = super().changelist_view(
            request,
            {
                "title": self.list_title,
                "row_template": self.row_template,
                "figures": self.figures(request),
                "views": self.views(request),
                "empty": self.empty(request),
                "search_hint": self.search_hint,
                "note": self.note(request),
                "add_url": self.url("add") if self.has_add_permission(request) else "",
                **self.list_context(request),
                **(extra_context or {}),
            },
        )
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            cl = response.context_data["cl"]
            usual = usual_order(self.get_ordering(request) or self.opts.ordering)
            response.context_data |= {"columns": cl.heads(usual), "orders": cl.orders()}
            rows = list(cl.result_list)
            self.prepare_rows(rows, request)
            response.context_data["rows"] = rows
        return response

    # The page of one row

    def row(self, request: HttpRequest, object_id: str, rows: QuerySet[Any] | None = None) -> Any:
        """The row with this id, if the caller may see it; else 404."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_queryset(request) if rows is None else rows
        field = self.opts.pk
        try:
            key = field.to_python(unquote(object_id))
            row = found.get(pk=key)
        except (self.model.DoesNotExist, ValidationError, ValueError, OverflowError) as exc:
            raise Http404(f"no {self.opts.verbose_name} {object_id[:80]!r}") from exc
        return row

    def page(
        self, request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
    ) -> TemplateResponse:
        """A page in the shell, named `title`."""
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            template,
            {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "list_url": self.url("changelist"),
                "list_name": self.list_title,
                "title": title,
                **context,
            },
            status=status,
        )
