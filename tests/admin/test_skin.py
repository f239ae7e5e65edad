"""What our pages rely on in the skin, and what they may not do."""

import ast
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
import unfold
from django.conf import settings
from django.contrib import admin
from django.template import engines
from django.test import Client

from jobs_app.models import Job
from tests.admin.pages import PAGES

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static").rglob("*.js"))
STYLES = sorted((ROOT / "static").rglob("*.css"))


class Handlers(HTMLParser):
    """Collects attributes such as onclick; the skin answers clicks by its own, never by these."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [name for name, _ in attrs if name.startswith("on")]


def page(client: Client, address: str, rows: dict[str, object]) -> str:
    return client.get(address.format(**rows)).content.decode()


def test_every_page_stands_in_the_shell(rows, sign_in):
    """The elements of the skin that our styles, our scripts and the skip link count on."""
    client = sign_in("system_admin")
    hooks = (
        'id="nav-sidebar"', 'id="nav-sidebar-apps"', 'id="main"', 'id="content"', 'id="logout-form"',
        'class="th-skip"', "sidebarDesktopOpen = !sidebarDesktopOpen", "sidebarMobileOpen = !sidebarMobileOpen",
        "x-cloak", 'id="unfold-theme-colors"', "--color-primary-600:", "--color-base-900:",
    )  # fmt: skip
    for each in PAGES:
        if each.address.endswith(("/output/", "/parts/", "/scripts/?app=")) or "/rows/?" in each.address:
            continue
        text = page(client, each.address, rows)
        missing = [hook for hook in hooks if hook not in text]
        assert not missing, (each.address, missing)
        assert 'type="module"' in text, each.address


def test_lists_have_the_table_they_are_known_by(rows, sign_in):
    text = page(sign_in("system_admin"), "/admin/jobs_app/job/", rows)
    assert 'id="result_list"' in text
    assert text.count("data-job=") == Job.objects.count()


def test_the_menu_shows_what_one_may_open(rows, sign_in):
    def entries(role: str) -> list[str]:
        text = page(sign_in(role), "/admin/", rows)
        menu = text[text.index('id="nav-sidebar-apps"') : text.index('id="logout-form"')]
        return [name.strip() for name in re.findall(r"<span>([^<]+)</span>", menu)]

    everybody = ["Overview", "Tasks", "Jobs", "History", "Runspaces", "Pools", "Languages", "Engines"]
    assert [name for name in entries("viewer") if name != "API docs"] == everybody
    assert [name for name in entries("system_admin") if name != "API docs"] == [
        *everybody, "Settings", "Audit log", "Users", "API tokens",
    ]  # fmt: skip


def test_no_page_holds_an_inline_script(rows, sign_in):
    client = sign_in("system_admin")
    for each in PAGES:
        if each.address.endswith("/output/"):
            continue
        text = page(client, each.address, rows)
        for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.S):
            assert "src=" in attributes and not body.strip(), each.address
        handlers = Handlers()
        handlers.feed(text)
        assert not handlers.found, each.address


@pytest.mark.parametrize("path", [*TEMPLATES, *SCRIPTS, *STYLES], ids=lambda path: path.name)
def test_nothing_comes_from_another_host(path):
    text = path.read_text()
    assert not re.search(r"(?:src|href|url\(|import)\s*[=(]?\s*[\"']?(?:https?:)?//", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_our_templates_write_no_style_and_mark_nothing_safe(path):
    text = path.read_text()
    assert " style=" not in text
    assert "|safe" not in text and "autoescape off" not in text


def test_our_styles_need_no_important():
    found = [path.name for path in STYLES if "!important" in path.read_text()]
    # Only against the skin's own: without scripts its pages would stay hidden.
    assert found == ["without_scripts.css"]


def test_the_overridden_templates_are_still_those_of_the_skin():
    """Each template of ours that stands before one of the skin has one there to stand before."""
    skin = Path(unfold.__file__).parent / "templates"
    ours = [path.relative_to(ROOT / "templates") for path in TEMPLATES]
    beside = [path for path in ours if path.parts[0] in ("admin", "unfold")]
    assert beside
    for path in beside:
        assert (skin / path).is_file(), path


def test_the_skin_includes_the_header_we_replace():
    source = Path(unfold.__file__).parent / "templates" / "unfold" / "helpers" / "header.html"
    assert "unfold/helpers/welcomemsg.html" in source.read_text()
    found = engines["django"].engine.get_template("unfold/helpers/welcomemsg.html")  # type: ignore[attr-defined]
    assert found.origin.name.startswith(str(ROOT))


def test_the_site_is_ours():
    assert type(admin.site).__name__ in ("DefaultAdminSite", "TaskhubAdminSite")
    assert admin.site.site_header == "Taskhub"


def imports_of(path: Path) -> set[str]:
    """Every module a file imports, by the names it uses."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def test_only_files_called_admin_import_the_admin_of_the_skin():
    """It renders a widget while it is imported, which loads every tag library there is."""
    packages = ("taskhub", "scaffolding", "runspaces_app", "tasks_app", "jobs_app")
    sources = [path for package in packages for path in (ROOT / package).rglob("*.py")]
    importers = {path.name for path in sources if "unfold.admin" in imports_of(path)}
    assert importers == {"admin.py"}
    for path in sources:
        if "templatetags" in path.parts:
            assert not any(name.split(".")[-1] == "admin" for name in imports_of(path)), path


def test_whoever_signs_out_is_told_so_in_our_words(sign_in):
    page = sign_in("viewer").post("/admin/logout/").content.decode()
    assert "You are signed out" in page and 'href="/admin/"' in page and "quality time" not in page
