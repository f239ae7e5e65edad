"""Languages: which there are, which can be used here, and whether a text would compile."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from runspaces_app import languages
from runspaces_app.errors import LanguageNotInstalled, UnknownLanguage
from runspaces_app.languages import CheckFailed, Language
from taskhub.core.api.endpoint import Endpoint
from taskhub.core.api.fields import StrictSerializer, Text
from taskhub.core.api.pages import OnePage
from taskhub.core.errors import BadInput, NotFound

CODE_LIMIT = 1024 * 1024


class CheckBody(StrictSerializer):
    """The text to be checked."""

    code = Text(help_text="Source text, at most 1 MiB.")


class LanguageShape(serializers.Serializer[Any]):
    """A language scripts may be written in."""

    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # as the API names it
    suffix = serializers.CharField()
    installed = serializers.BooleanField(help_text="Whether this machine has its interpreter.")
    version = serializers.CharField(allow_null=True)
    install = serializers.CharField(help_text="How its interpreter is got.")
    snippet = serializers.CharField(help_text="A short script that shows progress, output and result.")
    in_process = serializers.BooleanField(help_text="The runspace runs it itself, without a child process.")
    checked_at_create = serializers.BooleanField(help_text="A job whose text does not compile is refused.")


class CheckShape(serializers.Serializer[Any]):
    """Whether the text compiles."""

    ok = serializers.BooleanField()
    message = serializers.CharField(allow_null=True, help_text="What is wrong.")
    line = serializers.IntegerField(allow_null=True, help_text="First line in question, from 1.")


def shape(language: Language) -> dict[str, Any]:
    installed = language.interpreter() is not None
    return {
        "name": language.name,
        "label": language.label,
        "suffix": language.suffix,
        "installed": installed,
        "version": language.version() if installed else None,
        "install": language.install,
        "snippet": language.snippet,
        "in_process": language.in_process,
        "checked_at_create": language.checked_at_create,
    }


class LanguageEndpoint(Endpoint):
    """An address below the languages."""

    tag = "languages"
    path_parameters = {"name": "Name of the language."}

    def language(self, name: str) -> Language:
        """The language of the path.

        Raises:
            NotFound
        """
        try:
            return languages.get(name)
        except UnknownLanguage as exc:
            raise NotFound(f"name: {exc}", fields={"name": "no such language"}) from exc


class LanguagesView(LanguageEndpoint):
    """All languages."""

    rights = {"GET": "language.view"}
    path_parameters = {}
    pagination_class = OnePage

    @extend_schema(responses=LanguageShape(many=True))
    def get(self, request: Request) -> Response:
        """List languages.

        Those whose interpreter is missing here, too.
        """
        return self.page([shape(language) for language in languages.all()], LanguageShape)


class LanguageView(LanguageEndpoint):
    """One language."""

    rights = {"GET": "language.view"}

    @extend_schema(responses=LanguageShape)
    def get(self, request: Request, name: str) -> Response:
        """Read a language."""
        return Response(LanguageShape(shape(self.language(name))).data)


class CheckView(LanguageEndpoint):
    """Checking a text without running it."""

    rights = {"POST": "job.create"}

    @extend_schema(request=CheckBody, responses={200: CheckShape})
    def post(self, request: Request, name: str) -> Response:
        """Check whether a text would compile.

        In a process of its own with little time and memory; nothing of it runs. 400 if this machine
        has no interpreter of the language.
        """
        language = self.language(name)
        code = self.body(CheckBody)["code"]
        if len(code.encode()) > CODE_LIMIT:
            expected = f"expected at most {CODE_LIMIT} bytes"
            raise BadInput(f"code: {expected}, got {len(code.encode())}", fields={"code": expected})
        if language.interpreter() is None:
            raise LanguageNotInstalled(
                f"name: expected a language whose interpreter is installed, got {name!r}; "
                f"install with: {language.install}",
                fields={"name": f"the interpreter of {name} is not installed here"},
            )
        try:
            language.check(code)
        except CheckFailed as exc:
            return Response({"ok": False, "message": exc.message, "line": exc.line})
        return Response({"ok": True, "message": None, "line": None})
