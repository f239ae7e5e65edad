"""The OpenAPI document: every operation with its errors, each path once."""

import inspect
import re
from typing import Any

from drf_spectacular.generators import EndpointEnumerator, SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers


class ErrorBody(serializers.Serializer[Any]):
    """What every refused call answers with."""

    success = serializers.BooleanField(help_text="Always false.")
    error = serializers.CharField(help_text="What was expected and what came.")
    code = serializers.CharField(help_text="Stable name of the kind of error.")
    fields = serializers.DictField(  # type: ignore[assignment] # a field of the body named like an attribute
        child=serializers.CharField(), help_text="A sentence for each part of the input that is wrong."
    )
    timestamp = serializers.DateTimeField()


ERRORS = {
    400: "The input is wrong; `fields` names the parts.",
    401: "Not signed in, or the token is unknown, expired or revoked.",
    403: "The caller may see it, but not do this.",
    404: "Unknown, or the caller may not know of it.",
    405: "The path does not take this method.",
    406: "Answers come in JSON only.",
    409: "Its state does not allow it, or the `Idempotency-Key` came with another body before.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    423: "It cannot be cancelled.",
    503: "Not possible now; try again after `Retry-After` seconds.",
}
_DONE = {"200": "Here it is.", "201": "It was created.", "202": "It is on its way."}
_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_VERBS = {"GET": "get", "POST": "post", "PUT": "replace", "PATCH": "update", "DELETE": "delete"}


class Document(AutoSchema):
    """Describes an `Endpoint`: names, paragraphs and errors that need no decorator."""

    def get_operation_id(self) -> str:
        words = [word.replace("-", "_") for word in re.findall(r"[\w-]+", re.sub(r"\{\w+\}", "", self.path))]
        words = [word for word in words if word not in ("api", "v1")] or ["root"]
        verb = _VERBS[self.method]
        if self.path.endswith("}") or len(words) == 1:
            if self._is_list_view():
                verb = "list"
            elif self.method == "POST" and not self.path.endswith("}"):
                verb = "create"
        elif self._is_list_view():
            verb = "list"
        elif self.method == "POST":
            return "_".join(words)
        return "_".join([*words, verb])

    def get_tags(self) -> list[str]:
        return [getattr(self.view, "tag", "") or self._tokenize_path()[0]]

    def get_summary(self) -> str | None:
        return self._paragraphs()[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override] # as drf-spectacular has it
        return "\n\n".join(self._paragraphs()[1:])

    def _paragraphs(self) -> list[str]:
        handler = getattr(self.view, self.method.lower(), None)
        text = inspect.getdoc(handler) or inspect.getdoc(type(self.view)) or ""
        return [" ".join(part.split()) for part in text.split("\n\n")] or [""]

    def get_override_parameters(self) -> list[Any]:
        places = [
            OpenApiParameter(name, str, OpenApiParameter.PATH, description=text)
            for name, text in getattr(self.view, "path_parameters", {}).items()
        ]
        query = getattr(self.view, "queries", {}).get(self.method.lower())
        parameters: list[Any] = [*places, *([query] if query else [])]
        if self.method.lower() in getattr(self.view, "idempotent_methods", ()):
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key", str, OpenApiParameter.HEADER,
                    description="Equal calls with one key have one effect and one answer, for 24 hours.",
                )
            )  # fmt: skip
        return parameters

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        bodies = super()._get_response_bodies(direction)
        for given, body in bodies.items():
            body["description"] = body["description"] or _DONE.get(given, "Done.")
        for status in sorted(self._errors()):
            bodies.setdefault(
                str(status),
                self._get_response_for_code(  # type: ignore[no-untyped-call] # ships no types for it
                    OpenApiResponse(ErrorBody, description=ERRORS[status]), str(status), ["application/json"],
                    direction,
                ),
            )  # fmt: skip
        return bodies

    def _errors(self) -> set[int]:
        found = {400, 406}
        if self.view.permission_classes:
            found |= {401, 403}
        if "{" in self.path:
            found.add(404)
        if self.method in _WRITES:
            found |= {413, 415, 503}
        if self.method.lower() in getattr(self.view, "idempotent_methods", ()):
            found.add(409)
        return found | set(getattr(self.view, "errors", {}).get(self.method.lower(), ()))


class _Once(EndpointEnumerator):
    """Leaves out the second spelling of each path, and what is there only to refuse."""

    def should_include_endpoint(self, path: str, callback: Any) -> bool:
        if path.endswith("/") or getattr(getattr(callback, "cls", None), "undocumented", False):
            return False
        return bool(super().should_include_endpoint(path, callback))


class DocumentGenerator(SchemaGenerator):
    endpoint_inspector_cls = _Once
