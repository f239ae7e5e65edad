import pytest

from runspaces_app import languages
from runspaces_app.errors import UnknownLanguage


def test_the_languages_are_offered_in_a_fixed_order():
    assert [language.name for language in languages.all()] == [
        "python", "shell", "javascript", "executable",
    ]  # fmt: skip


def test_a_language_is_found_by_its_name():
    assert languages.get("shell").suffix == ".sh"


@pytest.mark.parametrize("name", ["", "Python", "cobol", None, [], "x" * 10_000])
def test_an_unknown_name_is_an_error_that_names_the_field(name):
    with pytest.raises(UnknownLanguage) as caught:
        languages.get(name)
    assert "language" in (caught.value.fields or {})
    assert "python, shell, javascript, " in str(caught.value)


@pytest.mark.parametrize("language", languages.all(), ids=lambda language: language.name)
def test_what_is_installed_everywhere_has_an_interpreter(language):
    assert language.interpreter()
    assert language.label
