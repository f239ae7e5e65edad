"""API tokens in the admin: a new one is shown once; a revoked one is of no use any more."""

from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from taskhub.core import permissions, tokens
from taskhub.core.audit import Actor
from taskhub.core.errors import TaskhubError
from taskhub.core.models import ApiToken
from taskhub.core.roles import ROLES

from .admin import Column, Empty, PagesAdmin
from .posts import carry_out, sentence
from .questions import Question


class TokenForm(forms.Form):
    user = forms.ModelChoiceField(
        User.objects.none(),
        help_text="Who the calls count as.",
        widget=forms.Select(attrs={"class": "th-select"}),
    )
    name = forms.CharField(
        max_length=100,
        help_text="What it is for, such as “nightly export”.",
        widget=forms.TextInput(attrs={"class": "th-input", "autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        required=False,
        choices=[("", "All that the user may do"), *((role, f"At most {role}") for role in ROLES)],
        help_text="A role that bounds it further.",
        widget=forms.Select(attrs={"class": "th-select"}),
    )
    days = forms.IntegerField(
        label="Valid for",
        required=False,
        min_value=1,
        max_value=3650,
        help_text="Days; blank: until it is revoked.",
        widget=forms.NumberInput(attrs={"class": "th-input"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["user"].queryset = User.objects.filter(is_active=True).order_by("username")  # type: ignore[attr-defined]


class TokenAdmin(PagesAdmin):
    view_right = "token.manage"
    list_title = "API tokens"
    row_words = ("API token", "API tokens")
    add_right = "token.manage"
    change_list_template = "tokens/list.html"
    row_template = "tokens/_row.html"
    columns = (
        Column("Token"),
        Column("State"),
        Column("User"),
        Column("Bounded to", "th-cell-secondary"),
        Column("Last used"),
        Column("Expires", "th-cell-secondary"),
        Column("", "th-cell-actions"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return ApiToken.objects.select_related("user").defer("digest")

    def empty(self, request: HttpRequest) -> Empty:
        return Empty(
            "No API tokens yet",
            "A token lets a program call the API as one of the users.",
            self.url("add"),
            "New token",
        )

    def prepare_rows(self, rows: list[Any], request: HttpRequest) -> None:
        now = timezone.now()
        for token in rows:
            expired = token.expires_at is not None and token.expires_at <= now
            token.shown_state = "revoked" if token.revoked_at else "expired" if expired else "active"

    def own_urls(self) -> list[tuple[str, Any, str]]:
        return [("add/", self.add_view, "add"), ("<int:object_id>/revoke/", self.revoke, "revoke")]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        permissions.require(request.user, "token.manage")
        form = TokenForm(request.POST or None, initial={"user": request.user.pk, "days": 90})
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            try:
                token, text = tokens.create(
                    said["user"],
                    name=said["name"],
                    days=said["days"],
                    scope=said["scope"],
                    by=Actor.of(request),
                    now=timezone.now(),
                )
            except TaskhubError as exc:
                form.add_error(None, sentence(exc))
            else:
                # In the answer itself: it is stored nowhere, so there is no page to come back to.
                return self.page(request, "tokens/made.html", "New token", token=token, text=text)
        return self.page(
            request,
            "tokens/new.html",
            "New token",
            form=form,
            status=422 if form.errors else 200,
        )

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.revoke(request, object_id)

    def revoke(self, request: HttpRequest, object_id: Any) -> HttpResponse:
        token = self.row(request, str(object_id))
        permissions.require(request.user, "token.manage")
        if request.method != "POST":
            question = Question(
                title=f"Revoke the token {token.name}?",
                text="Programs that use it are refused from then on.",
                verb="Revoke it",
                keep="Keep it",
                action=self.url("revoke", token.pk),
                back=self.url("changelist"),
                facts=[("User", token.user.get_username()), ("Begins with", token.prefix)],
            )
            return self.page(
                request,
                "pages/confirm.html",
                f"Revoke {token.name}",
                question=question,
            )

        def act() -> str:
            tokens.revoke(token, by=Actor.of(request), now=timezone.now())
            return f"The token {token.name} is revoked."

        return carry_out(request, "token.manage", act, back=self.url("changelist"))
