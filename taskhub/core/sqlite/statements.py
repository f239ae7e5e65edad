"""Which SQL statements write. When in doubt, a statement does."""

import re

_BLANK = r"(?:\s|--[^\n]*(?:\n|\Z)|/\*.*?(?:\*/|\Z))"
_FIRST = re.compile(rf"{_BLANK}*+[\s;(]*+([A-Za-z]+)(?:{_BLANK}+([A-Za-z_]+))?", re.DOTALL)
_READS = frozenset({
    "SELECT", "EXPLAIN", "VALUES", "SAVEPOINT", "RELEASE", "ROLLBACK", "COMMIT", "END", "ATTACH", "DETACH",
})  # fmt: skip
_WRITING_PRAGMAS = re.compile(
    r"(?:incremental_vacuum|optimize)\b"
    r"|(?:journal_mode|user_version|application_id|auto_vacuum|encoding|page_size|schema_version)\s*[=(]",
    re.IGNORECASE,
)
_SCHEMA = re.compile(r"\w+\s*\.\s*")
_VACUUM_INTO = re.compile(r"\bINTO\b", re.IGNORECASE)
# Texts, quoted names and comments are passed over; what is left of interest is brackets and words.
_TOKEN = re.compile(
    r"'(?:[^']|'')*+'|\"(?:[^\"]|\"\")*+\"|`[^`]*+`|\[[^\]]*+\]|--[^\n]*+|/\*.*?\*/|(?P<bracket>[()])|(?P<word>[A-Za-z_]\w*)",
    re.DOTALL,
)
_VERBS = frozenset({"SELECT", "VALUES", "INSERT", "REPLACE", "UPDATE", "DELETE"})


def writes(query: str) -> bool:
    """Whether the statement may change the database, or takes the right to do so."""
    found = _FIRST.match(query)
    if found is None:
        return False
    word = found[1].upper()
    if word == "WITH":
        return _verb_behind_with(query) not in ("SELECT", "VALUES")
    if word == "BEGIN":
        return (found[2] or "").upper() in ("IMMEDIATE", "EXCLUSIVE")
    if word == "PRAGMA":
        return _pragma_writes(query[found.end(1) :].lstrip())
    if word == "VACUUM":
        return _VACUUM_INTO.search(query) is None
    return word not in _READS


def _pragma_writes(rest: str) -> bool:
    schema = _SCHEMA.match(rest)
    return _WRITING_PRAGMAS.match(rest, schema.end() if schema else 0) is not None


def _verb_behind_with(query: str) -> str | None:
    """The verb outside all brackets: `WITH … AS (SELECT …) UPDATE` updates."""
    depth = 0
    for token in _TOKEN.finditer(query):
        if token["bracket"]:
            depth += 1 if token["bracket"] == "(" else -1
        elif depth == 0 and token["word"] and token["word"].upper() in _VERBS:
            return str(token["word"]).upper()
    return None
