"""What no file of the project may say: where it was written, by what, and what is left to do."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

pytestmark = pytest.mark.one_database

TEXT = re.compile(r"\.(py|md|txt|in|toml|yaml|yml|html|js|css|sh|json)$|(^|/)(Makefile|run)$")
WORDS = {
    "a path of one machine": re.compile(
        rf"(?<![\w.])/(root|home/\w+)/|{re.escape(str(ROOT))}/|{re.escape(str(Path.home()))}/"
    ),
    "a package index": re.compile(r"index-url|find-links|pypi\.org|pythonhosted\.org|registry\.npmjs"),
    "something left to do": re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"),
    "an assistant": re.compile(r"\b(claude|anthropic|chatgpt|openai|copilot)\b", re.IGNORECASE),
}
# Files that name such a word in order to forbid or to handle it.
ALLOWED = {
    ("something left to do", "tests/architecture/test_words.py"),
    ("a package index", "tests/architecture/test_words.py"),
    ("an assistant", "tests/architecture/test_words.py"),
}


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    names = listed.stdout.splitlines() if listed.returncode == 0 else []
    return [name for name in names if TEXT.search(name) and (ROOT / name).is_file()]


@pytest.mark.parametrize("what", WORDS)
def test_no_file_names(what):
    found = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in tracked()
        if (what, name) not in ALLOWED and not name.startswith("static/vendor/")
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1)
        if WORDS[what].search(line) and not line.lstrip().startswith("--hash=")
    ]
    assert found == []


def test_requirements_are_pinned_with_hashes():
    for name in ("base.txt", "dev.txt"):
        lines = (ROOT / "requirements" / name).read_text().splitlines()
        packages = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert packages
        assert [
            line for line in packages if not re.match(r"[A-Za-z0-9_.\[\],-]+==\S+ ?\\?( ; .*)?$", line)
        ] == []
