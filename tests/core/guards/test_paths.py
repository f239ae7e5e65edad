"""Paths from outside."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from taskhub.core.errors import BadInput
from taskhub.core.guards.paths import inside

pytestmark = pytest.mark.one_database


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "app" / "sub").mkdir(parents=True)
    (tmp_path / "app" / "run.py").write_text("1")
    (tmp_path / "app-other").mkdir()
    (tmp_path / "secret").write_text("x")
    return tmp_path / "app"


@pytest.mark.parametrize(
    "path", ["run.py", "sub/new.py", "./run.py", "sub/./a", "a b/é", "...", "~", "sub//x", ".hidden"]
)
def test_a_path_inside_is_resolved_whether_it_exists_or_not(root, path):
    found = inside(root, path)
    assert found.is_relative_to(root.resolve())
    assert found != root


@pytest.mark.parametrize(
    "path",
    [
        "",
        ".",
        "./",
        "/",
        "/etc/passwd",
        "..",
        "../secret",
        "sub/../../secret",
        "sub/..",
        "a/../run.py",
        "../app-other",
        "..\\secret",
        "sub\\x",
        "C:\\x",
        "run.py\0",
        "a\nb",
        "\x7f",
        "\udcff",
        "x" * 2000,
        "y" * 256,
        "é" * 200,
        "/" + "a/" * 40,
    ],
)
def test_whatever_leads_out_or_nowhere_is_refused(root, path):
    with pytest.raises(BadInput) as refused:
        inside(root, path)
    assert list(refused.value.fields) == ["path"]
    assert str(refused.value).isascii()


def test_the_field_is_the_callers(root):
    with pytest.raises(BadInput, match=r"^script: ") as refused:
        inside(root, "../x", field="script")
    assert list(refused.value.fields) == ["script"]


def test_links_that_stay_inside_are_followed(root):
    (root / "link.py").symlink_to("run.py")
    assert inside(root, "link.py") == root.resolve() / "run.py"


@pytest.mark.parametrize("target", ["../secret", "/etc/passwd", "../app-other", ".."])
def test_links_that_lead_out_are_refused(root, target):
    (root / "link").symlink_to(target)
    for path in ("link", "link/deeper"):
        with pytest.raises(BadInput):
            inside(root, path)


def test_a_link_to_the_folder_itself_is_refused(root):
    (root / "sub" / "up").symlink_to("..")
    with pytest.raises(BadInput):
        inside(root, "sub/up")


def test_links_in_a_circle_are_refused(root):
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    with pytest.raises(BadInput):
        inside(root, "a/x")


def test_the_folder_itself_may_be_reached_through_a_link(root, tmp_path):
    (tmp_path / "via").symlink_to(root)
    assert inside(tmp_path / "via", "run.py") == root.resolve() / "run.py"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.text("a./\\\0~é", max_size=12))
def test_nothing_ever_comes_out_outside(root, path):
    try:
        found = inside(root, path)
    except BadInput:
        return
    assert root.resolve() in found.parents
