"""The OpenAPI document."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from openapi_spec_validator import validate

from taskhub.core.api.documents import DocumentGenerator
from tests.api.documents import document


def test_the_document_is_valid():
    validate(document())


def test_making_it_raises_no_warning(capsys):
    GENERATOR_STATS.reset()
    DocumentGenerator().get_schema(request=None, public=True)
    assert not GENERATOR_STATS, capsys.readouterr().err


def test_every_answer_parameter_and_operation_has_words():
    silent = []
    for path, operations in document()["paths"].items():
        for method, operation in operations.items():
            said = [operation.get("summary")]
            said += [answer.get("description") for answer in operation["responses"].values()]
            said += [p.get("description") for p in operation.get("parameters", []) if p["in"] != "query"]
            if not all(said):
                silent.append(f"{method} {path}")
    assert not silent


def test_operation_names_are_unique():
    names = [o["operationId"] for path in document()["paths"].values() for o in path.values()]
    assert len(names) == len(set(names))


def test_each_path_stands_once_without_a_slash_at_its_end():
    assert not [path for path in document()["paths"] if path.endswith("/")]


@pytest.mark.django_db
def test_the_documentation_needs_no_other_host(api_admin):
    page = api_admin.get("/api/docs/")
    script = api_admin.get("/api/docs/?script=")
    assert page.status_code == script.status_code == 200
    assert script.headers["Content-Type"].startswith("application/javascript")
    for text in (page.content.decode(), script.content.decode()):
        assert "http://" not in text.replace("http://testserver", "")
        assert "cdn" not in text.lower()
    # Nothing that the policy forbids: no script in the page itself.
    assert "<script>" not in page.content.decode()


@pytest.mark.django_db
def test_the_document_is_served(api_admin):
    answer = api_admin.get("/api/schema/?format=json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.")
