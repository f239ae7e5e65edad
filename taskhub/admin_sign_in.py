"""Signing in: the form, who is let through, and the record of refusals."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils import timezone
from unfold.forms import AuthenticationForm

from taskhub.core import audit
from taskhub.core.audit import Actor

from .admin_site import may_enter


class SignInForm(AuthenticationForm):  # type: ignore[misc] # unfold ships no types
    error_messages = {
        "invalid_login": "User name and password do not match. Mind upper and lower case.",
        "inactive": "This account is switched off.",
        "no_role": "This account has no role yet. Ask a system administrator for one.",
    }

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        self.fields["username"].label = "User name"
        for name in ("username", "password"):
            self.fields[name].widget.attrs["class"] = "th-input"
        self.fields["username"].widget.attrs |= {"autocomplete": "username", "autocapitalize": "none"}
        self.fields["password"].widget.attrs |= {"autocomplete": "current-password"}

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError as exc:
            self._record(exc)
            raise
        return cleaned

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not user.is_active:
            raise ValidationError(self.error_messages["inactive"], code="inactive")
        if not may_enter(user):  # type: ignore[arg-type] # the user model is Django's own
            raise ValidationError(self.error_messages["no_role"], code="no_role")

    def _record(self, refusal: ValidationError) -> None:
        """A refused sign-in is written down, with the name that was tried and never the password."""
        tried = str(self.cleaned_data.get("username", ""))[:150]
        who = Actor.of(self.request)
        audit.record(
            actor=Actor(name=tried or "nobody", user_id=None, address=who.address),
            action="user.sign_in",
            object_type="user",
            object_id=tried,
            result="refused",
            message=str(refusal.code or "invalid_login"),
            now=timezone.now(),
        )
