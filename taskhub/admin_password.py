"""The page on which people change their own password."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy
from django.utils import timezone

from taskhub.core import audit
from taskhub.core.audit import Actor


class OwnPasswordForm(PasswordChangeForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.error_messages = {
            "password_incorrect": "This is not your present password.",
            "password_mismatch": "The new password was typed in two ways.",
        }
        for name, label, help_text, offered in (
            ("old_password", "Present password", "", "current-password"),
            (
                "new_password1",
                "New password",
                "At least ten characters: not digits alone, nothing common, nothing like your name.",
                "new-password",
            ),
            ("new_password2", "New password again", "", "new-password"),
        ):
            field = self.fields[name]
            field.label, field.help_text = label, help_text
            field.widget = forms.PasswordInput(attrs={"class": "th-input", "autocomplete": offered})


class OwnPassword(PasswordChangeView):
    form_class = OwnPasswordForm
    template_name = "users/password.html"
    title = "Change password"
    success_url = reverse_lazy("admin:index")

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            answer = super().form_valid(form)
            audit.record(
                actor=Actor.of(self.request), action="user.password", object_type="user",
                object_id=str(form.user.pk), now=timezone.now(),
            )  # fmt: skip
        messages.success(self.request, "Your password is changed; your other sessions are signed out.")
        return answer

    def form_invalid(self, form: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
