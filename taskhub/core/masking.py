"""Values fit to be kept and shown: secrets made unreadable, texts storable, nothing endless."""

import re
from collections.abc import Mapping
from typing import Any

MASK = "********"
LONGEST_TEXT = 4000
DEPTH = 16

# Words of a name, however it is spelled: apiKey, API_KEY, api-key.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS = frozenset({
    "pass", "passwd", "passphrase", "password", "pwd", "pw", "pin", "otp",
    "secret", "secrets", "token", "tokens", "key", "keys", "apikey", "signature", "dsn",
    "auth", "authorization", "credential", "credentials", "cookie", "cookies",
})  # fmt: skip
# Parts that give a secret away within a longer word, as in DBPASSWORD or accesstoken.
_SECRET_PARTS = re.compile(
    r"passw(?:or)?d|passphrase|secret|token|api_?key|private_?key|access_?key|credential", re.I
)
_USER_IN_URL = re.compile(r"(\b[A-Za-z][A-Za-z0-9+.-]{0,20}://[^\s:/@]{0,256}):[^\s/@]{1,256}@")
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def is_secret(name: str) -> bool:
    """Whether a name sounds like a secret's."""
    if _SECRET_PARTS.search(name):
        return True
    return any(word.lower() in _SECRET_WORDS for word in _WORD.findall(name))


def masked(value: Any) -> Any:
    """The same value as JSON holds it, with what stands behind a secret-sounding name hidden.

    At any depth; passwords within addresses (`postgresql://user:…@host`) too. Empty values stay,
    for that nothing is set is no secret. Long texts are cut.
    """
    return _masked(value, DEPTH)


def clean(text: str, longest: int = LONGEST_TEXT) -> str:
    """A text any database stores: without NUL and lone surrogates, cut where it gets long."""
    if len(text) <= longest and text.isascii() and "\0" not in text:
        return text
    kept = _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[: longest + 1])
    return kept if len(kept) <= longest else kept[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"


def _masked(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else str(value)
    if isinstance(value, str):
        return clean(_USER_IN_URL.sub(rf"\1:{MASK}@", value[: LONGEST_TEXT * 2]))
    if isinstance(value, Mapping):
        if depth == 0:
            return "{\N{HORIZONTAL ELLIPSIS}}"
        return {clean(str(key), 200): _behind(str(key), item, depth) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(item, depth - 1) for item in value] if depth else "[\N{HORIZONTAL ELLIPSIS}]"
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    return clean(value.isoformat() if hasattr(value, "isoformat") else str(value))


def _behind(key: str, item: Any, depth: int) -> Any:
    empty = item is None or (isinstance(item, str | Mapping | list | tuple) and not item)
    # A switch or a flag under such a name (`token: false`) says nothing either.
    if is_secret(key) and not empty and not isinstance(item, bool):
        return MASK
    return _masked(item, depth - 1)
