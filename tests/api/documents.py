"""The OpenAPI document of the running code, and answers held against it."""

import copy
import re
from functools import cache
from typing import Any

from django.http.response import HttpResponseBase
from openapi_schema_validator import OAS31Validator

from taskhub.core.api.documents import DocumentGenerator


@cache
def document() -> dict[str, Any]:
    found: dict[str, Any] = DocumentGenerator().get_schema(request=None, public=True)
    return found


@cache
def _strict_components() -> dict[str, Any]:
    """As the document has them, but what it does not name may not be there."""
    components = copy.deepcopy(document()["components"])
    for schema in components["schemas"].values():
        if "properties" in schema:
            schema.setdefault("additionalProperties", False)
    return dict(components)


def described(method: str, path: str) -> tuple[str, dict[str, Any]]:
    """The path of the document that an address belongs to, and its operation."""
    bare = path.partition("?")[0].rstrip("/")
    for pattern, operations in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), bare):
            # A fixed address wins over one with a parameter, as in the resolver.
            if "{" in pattern and bare in document()["paths"]:
                continue
            if method.lower() in operations:
                return pattern, operations[method.lower()]
    raise AssertionError(f"{method} {path} is not in the document")


def check(method: str, path: str, response: HttpResponseBase) -> None:
    """Assert that the document describes this answer, body and all."""
    pattern, operation = described(method, path)
    answers = operation["responses"]
    assert str(response.status_code) in answers, (
        f"{method} {pattern}: {response.status_code} is not described"
    )
    content = answers[str(response.status_code)].get("content")
    if content is None:
        assert not getattr(response, "content", b""), f"{method} {pattern}: a body nobody described"
        return
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind in content, f"{method} {pattern}: {kind} is not described, but {list(content)}"
    if kind == "application/json":
        schema = {**content[kind]["schema"], "components": _strict_components()}
        errors = [
            f"{'.'.join(map(str, error.path))}: {error.message[:300]}"
            for error in OAS31Validator(schema).iter_errors(response.json())  # type: ignore[attr-defined]
        ]
        assert not errors, f"{method} {pattern} {response.status_code}: {errors}"
