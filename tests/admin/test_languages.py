"""The page of the languages."""

from django.utils.html import escape

from runspaces_app import languages
from runspaces_app.languages import base


def test_each_language_is_shown_with_its_version_or_how_it_is_installed(sign_in, rows, monkeypatch):
    monkeypatch.setattr(base, "find_program", lambda name: None)
    page = sign_in("viewer").get("/admin/runspaces_app/pool/languages/").content.decode()
    for language in languages.all():
        assert f'id="{language.name}"' in page
        assert (escape(language.install) in page) is (language.interpreter() is None), language.name
    assert languages.get("python").version() in page
    assert "Not installed" in page and "; install with: " in page
    assert "progress(" in page
