"""The languages there are."""

from ..errors import UnknownLanguage
from .base import Language
from .csharp import CSharp
from .executable import Executable
from .javascript import JavaScript
from .powershell import PowerShell
from .python import Python
from .shell import Shell
from .visual_basic import VisualBasic

_LANGUAGES: dict[str, Language] = {
    language.name: language
    for language in (
        Python(),
        Shell(),
        JavaScript(),
        PowerShell(),
        CSharp(),
        VisualBasic(),
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
