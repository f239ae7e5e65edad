"""Users and their roles in the admin, and the page that tells what each role may do."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from taskhub.core import permissions, roles, users
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from taskhub.core.pages.admin import Column, Empty, PagesAdmin
from taskhub.core.pages.choices import choice_filter
from taskhub.core.pages.posts import sentence

_ROLES = {
    "viewer": "sees tasks, jobs, history, output and runspaces",
    "operator": "also runs, stops, removes and switches what exists",
    "author": "also supplies code, parameters and environment: trusted with Taskhub's own account",
    "system_admin": "everything",
}


class UserForm(forms.Form):
    username = forms.CharField(label="User name", max_length=150)
    first_name = forms.CharField(label="First name", max_length=150, required=False)
    last_name = forms.CharField(label="Last name", max_length=150, required=False)
    email = forms.EmailField(label="E-mail", required=False)
    role = forms.ChoiceField(
        required=False,
        choices=[
            ("", "No role: own jobs only, over the API"),
            *((name, f"{name}: {words}") for name, words in _ROLES.items()),
        ],
    )
    is_active = forms.BooleanField(label="May sign in", required=False, initial=True)
    password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least ten characters.",
    )

    def __init__(self, *args: Any, new: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if new:
            self.fields["password"].required = True
        else:
            self.fields["password"].label = "New password"
            self.fields["password"].help_text = "Blank: it stays as it is. A new one ends all other sessions."
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxInput):
                field.widget.attrs["class"] = (
                    "th-select" if isinstance(field.widget, forms.Select) else "th-input"
                )
        self.fields["username"].widget.attrs["autocomplete"] = "off"


def _with_role(rows: QuerySet[Any], value: str, request: HttpRequest) -> QuerySet[Any]:
    if value == "none":
        return rows.exclude(groups__name__in=roles.ROLES).exclude(is_superuser=True)
    return rows.filter(groups__name=value)


class UserAdmin(PagesAdmin):
    view_right = "user.manage"
    list_title = "Users"
    add_right = "user.manage"
    change_list_template = "users/list.html"
    row_template = "users/_row.html"
    columns = (
        Column("User", sort="username"),
        Column("Role"),
        Column("State", sort="-is_active"),
        Column("Last sign-in", sort="-last_login"),
        Column("E-mail", "th-cell-secondary", sort="email"),
    )
    ordering = ("username",)
    search_fields = ("username", "first_name", "last_name", "email")
    search_hint = "Search by name or e-mail"
    list_filter = (
        choice_filter(
            "role",
            "Role",
            lambda request: [*((name, name) for name in roles.ROLES), ("none", "No role")],
            _with_role,
        ),
        choice_filter(
            "active",
            "State",
            lambda request: [("yes", "Active"), ("no", "Switched off")],
            lambda rows, value, request: rows.filter(is_active=value == "yes"),
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return User.objects.prefetch_related("groups").defer("password")

    def empty(self, request: HttpRequest) -> Empty:
        return Empty("No users", "")

    def list_context(self, request: HttpRequest) -> dict[str, Any]:
        return {"roles_url": self.url("roles")}

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        for user in rows:
            names = {group.name for group in user.groups.all()}
            strongest = next((role for role in reversed(roles.ROLES) if role in names), "")
            user.shown_role = roles.SYSTEM_ADMIN if user.is_superuser else strongest

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [("add/", self.add_view, "add"), ("roles/", self.roles_view, "roles")]

    def roles_view(self, request: HttpRequest) -> HttpResponse:
        permissions.require(request.user, "user.manage")
        groups: dict[str, list[tuple[str, list[bool]]]] = {}
        for action, allowed in permissions.ACTIONS.items():
            subject, _, verb = action.partition(".")
            groups.setdefault(subject, []).append(
                (verb.replace("_", " "), [role in allowed for role in roles.ROLES])
            )
        return self.page(
            request,
            "users/roles.html",
            "Roles",
            groups=groups,
            names=roles.ROLES,
            words=_ROLES.items(),
        )

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        permissions.require(request.user, "user.manage")
        form = UserForm(request.POST or None, new=True)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            try:
                user = users.create(
                    said,
                    role=said["role"] or None,
                    password=said["password"],
                    by=Actor.of(request),
                    now=timezone.now(),
                )
            except TaskhubError as exc:
                _refuse(form, exc)
            else:
                messages.success(request, f"{user.username} may sign in now.")
                return HttpResponseRedirect(self.url("changelist"))
        return self.page(
            request,
            "users/user.html",
            "New user",
            form=form,
            status=422 if form.errors else 200,
        )

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        user = self.row(request, object_id)
        initial = {name: getattr(user, name) for name in users.FIELDS} | {
            "role": users.role_of_account(user) or ""
        }
        form = UserForm(request.POST or None, new=False, initial=initial)
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            try:
                users.change(
                    user.pk,
                    said,
                    role=said["role"] or None,
                    password=said["password"],
                    by=Actor.of(request),
                    now=timezone.now(),
                )
            except TaskhubError as exc:
                _refuse(form, exc)
            else:
                messages.success(request, f"{said['username']} is changed.")
                return HttpResponseRedirect(self.url("changelist"))
        return self.page(
            request,
            "users/user.html",
            user.get_username(),
            form=form,
            account=user,
            status=422 if form.errors else 200,
        )


def _refuse(form: UserForm, error: TaskhubError) -> None:
    placed = [name for name in error.fields if name in form.fields]
    for name in placed:
        form.add_error(name, error.fields[name][:1].upper() + error.fields[name][1:])
    if not placed:
        form.add_error(None, sentence(error))
