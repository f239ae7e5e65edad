"""The page of the languages."""

from django.test import RequestFactory
from django.utils.html import escape

from runspaces_app import languages
from runspaces_app.languages import base
from taskhub import admin_shell
from tests.support import make_user


def test_each_language_is_shown_with_its_version_or_how_it_is_installed(sign_in, rows, monkeypatch):
    monkeypatch.setattr(base, "find_program", lambda name: None)
    page = sign_in("viewer").get("/admin/runspaces_app/pool/languages/").content.decode()
    for language in languages.all():
        assert f'id="{language.name}"' in page
        assert (escape(language.install) in page) is (language.interpreter() is None), language.name
    assert languages.get("python").version() in page
    assert "Not installed" in page and "; install with: " in page
    assert "progress(" in page


def test_the_menu_marks_this_page_and_not_the_pools_above_it(sign_in, rows):
    request = RequestFactory().get("/admin/runspaces_app/pool/languages/")
    request.user = make_user("eve", superuser=True)
    lines = [line for group in admin_shell.navigation(request) for line in group["items"]]
    assert [line["title"] for line in lines if line.get("active")] == ["Languages"]
