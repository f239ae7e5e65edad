"""The registry."""

import pytest

from runspaces_app import languages
from runspaces_app.errors import UnknownLanguage


def test_the_languages_are_offered_in_a_fixed_order():
    assert [language.name for language in languages.all()] == [
        "python", "shell", "javascript", "powershell", "csharp", "vbnet", "executable",
    ]  # fmt: skip


def test_a_language_is_found_by_its_name():
    assert languages.get("shell").suffix == ".sh"


@pytest.mark.parametrize("name", ["", "Python", "cobol", None, [], "x" * 10_000])
def test_an_unknown_name_is_an_error_that_names_the_field(name):
    with pytest.raises(UnknownLanguage) as caught:
        languages.get(name)
    assert "language" in (caught.value.fields or {})
    assert "python, shell, javascript, powershell, csharp, vbnet, executable" in str(caught.value)


@pytest.mark.parametrize("name", ["python", "shell", "javascript", "executable"])
def test_what_is_installed_everywhere_has_an_interpreter(name):
    assert languages.get(name).interpreter()


@pytest.mark.parametrize("language", languages.all(), ids=lambda language: language.name)
def test_each_says_how_it_is_called_shown_and_installed(language):
    assert language.label
    assert language.snippet
    assert language.install
