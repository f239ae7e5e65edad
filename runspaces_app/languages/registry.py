"""The languages there are."""

from ..errors import UnknownLanguage
from .base import Language
from .executable import Executable
from .javascript import JavaScript
from .python import Python
from .shell import Shell

_LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (
        Python(),
        Shell(),
        JavaScript(),
        Executable(),
    )
}


def get(name: str) -> Language:
    """The language of that name.

    Raises:
        UnknownLanguage: there is none.
    """
    try:
        return _LANGUAGES[name]
    except (KeyError, TypeError):
        known = ", ".join(_LANGUAGES)
        message = f"expected one of {known}, got {name!r:.100}"
        raise UnknownLanguage(message, fields={"language": message}) from None


def all() -> list[Language]:
    """Every language, installed here or not, in the order they are offered."""
    return list(_LANGUAGES.values())
