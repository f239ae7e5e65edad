"""Static files: collected once, named by their content, imports of our modules included."""

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finders

from taskhub.admin_settings import COMPONENTS, STYLESHEET
from taskhub.static_collecting import STAMP, collect_static
from taskhub.static_storage import StaticStorage
from tests.architecture.sources import ROOT

pytestmark = pytest.mark.one_database

IMPORTS = (
    'import { socket } from "./lib/socket.js"',
    "import { socket as other } from './lib/socket.js';",
    'import * as everything from "./lib/socket.js"',
    'import {\n  socket as third,\n} from "./lib/socket.js"',
    'import "./lib/socket.js"',
    'export { socket } from "./lib/socket.js"',
    'const later = () => import("./lib/socket.js")',
)


@pytest.fixture
def own_files(tmp_path, settings):
    """A folder of static files found instead of all others, and where they are collected."""
    files = tmp_path / "static"
    (files / "js" / "lib").mkdir(parents=True)
    (files / "js" / "lib" / "socket.js").write_text("export const socket = 1\n")
    (files / "js" / "page.js").write_text("".join(f"{line}\n" for line in IMPORTS))
    settings.STATICFILES_DIRS = [files]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]
    settings.STATIC_ROOT = tmp_path / "collected"
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "taskhub.static_storage.StaticStorage"}
    }
    return files


def test_a_module_imports_the_hashed_name_of_another(own_files, settings):
    collect_static()
    page = StaticStorage().stored_name("js/page.js")
    assert re.fullmatch(r"js/page\.[0-9a-f]{12}\.js", page)
    lines = (settings.STATIC_ROOT / page).read_text()
    assert len(re.findall(r'"\./lib/socket\.[0-9a-f]{12}\.js"', lines)) == len(IMPORTS)
    assert "socket.js" not in lines
    assert (settings.STATIC_ROOT / f"{page}.gz").exists() or (
        settings.STATIC_ROOT / page
    ).stat().st_size < 200


def test_files_are_collected_again_only_after_a_change(own_files, settings):
    collect_static()
    stamp = settings.STATIC_ROOT / STAMP
    before = stamp.stat().st_mtime_ns
    collect_static()
    assert stamp.stat().st_mtime_ns == before
    (own_files / "js" / "page.js").write_text("export const changed = true\n")
    collect_static()
    assert stamp.stat().st_mtime_ns != before
    assert "changed" in (settings.STATIC_ROOT / StaticStorage().stored_name("js/page.js")).read_text()


def test_the_stylesheets_of_every_page_are_one_file(own_files, settings):
    (own_files / "css").mkdir()
    for name in reversed(COMPONENTS):
        (own_files / "css" / f"{name}.css").write_text(f".{name} {{ color: red }}\n")
    collect_static()
    written = (settings.STATIC_ROOT / StaticStorage().stored_name(STYLESHEET)).read_text()
    assert re.findall(r"^\.(\w+)", written, re.MULTILINE) == list(COMPONENTS)


def test_every_stylesheet_is_there_and_asked_for_somewhere():
    there = {file.stem for file in (ROOT / "static" / "css").glob("*.css")}
    linked = {
        name
        for file in (ROOT / "templates").rglob("*.html")
        for name in re.findall(r"css/(\w+)\.css", file.read_text())
    }
    assert there == {*COMPONENTS, *linked}


def test_the_modules_of_the_project_import_what_is_there():
    for file in (ROOT / "static" / "js").rglob("*.js"):
        for name in re.findall(r"""^\s*import\b[^"']*["'](\.[^"']+)["']""", file.read_text(), re.MULTILINE):
            assert (file.parent / name).resolve().is_file(), f"{file.relative_to(ROOT)} imports {name}"


def test_no_static_file_of_ours_is_found_twice():
    seen: dict[str, list[str]] = {}
    for finder in get_finders():
        for name, storage in finder.list([]):
            seen.setdefault(name, []).append(storage.path(name))
    ours = str(ROOT)
    twice = {name: places for name, places in seen.items() if len(places) > 1}
    assert [
        name for name, places in twice.items() if any(_is_ours(Path(each), ours) for each in places)
    ] == []


def _is_ours(place: Path, ours: str) -> bool:
    return str(place).startswith(ours) and ".venv" not in place.parts
