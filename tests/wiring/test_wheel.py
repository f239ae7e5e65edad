"""What `pip install` gives is all there: pages, static files, the sample app, the command."""

import re
import subprocess
import sys
import sysconfig
import venv
import zipfile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.acceptance.harness import ROOT, Installation

pytestmark = [pytest.mark.slow, pytest.mark.one_database]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    # With the build back end of the environment: no download, no second environment.
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return next(folder.glob("taskhub-*.whl"))


def test_every_file_of_the_packages_is_in_the_wheel(wheel):
    held = set(zipfile.ZipFile(wheel).namelist())
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    packages = ("taskhub/", "scaffolding/", "runspaces_app/", "tasks_app/", "jobs_app/")
    wanted = {name for name in listed.stdout.splitlines() if name.startswith(packages)}
    wanted |= {
        f"taskhub/files/{name}"
        for name in listed.stdout.splitlines()
        if name.startswith(("templates/", "static/"))
    }
    assert (
        sorted(name for name in wanted - held if (ROOT / name.removeprefix("taskhub/files/")).exists()) == []
    )
    assert not [name for name in held if name.startswith("tests/")]


def test_the_wheel_asks_for_what_the_pinned_versions_satisfy(wheel):
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(
            next(name for name in archive.namelist() if name.endswith("/METADATA"))
        ).decode()
    asked = [Requirement(line) for line in re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)]
    needed = {canonicalize_name(each.name): each for each in asked if each.marker is None}
    pins = dict(
        re.findall(r"^([A-Za-z0-9._-]+)==(\S+)", (ROOT / "requirements/base.txt").read_text(), re.MULTILINE)
    )
    pins = {canonicalize_name(name): version for name, version in pins.items()}
    assert [name for name, each in needed.items() if pins.get(name, "none") not in each.specifier] == []
    wanted = {
        canonicalize_name(Requirement(line).name)
        for line in (ROOT / "requirements/base.in").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    }
    assert set(needed) == wanted


@pytest.mark.processes
def test_up_runs_from_the_wheel_in_an_empty_folder(wheel, tmp_path):
    place = tmp_path / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(install, check=True, capture_output=True)
    # The dependencies are those of the tests; that the wheel asks for them is tested above.
    packages = next((place / "lib").glob("python*/site-packages"))
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")

    installed = Installation(tmp_path / "home", command=[str(place / "bin" / "taskhub")])
    installed.environment = {"HOME": str(tmp_path)}
    try:
        process = installed.start(sample=True)
        client = installed.client(token="")
        page = client.get("/admin/login/")
        assert page.status == 200
        for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
            assert client.get(address).status == 200, address
        assert (installed.home / "apps" / "Sample" / "app.yaml").is_file()
        assert installed.stop(process) == 0
    finally:
        installed.clean_up()


def test_without_a_variable_an_installed_taskhub_keeps_its_data_in_the_home_folder(wheel, tmp_path):
    unpacked = tmp_path / "site"
    zipfile.ZipFile(wheel).extractall(unpacked)
    show = "from taskhub.settings import FILES_DIR, TASKHUB_HOME; print(TASKHUB_HOME, FILES_DIR)"
    ran = subprocess.run(
        [sys.executable, "-c", show],
        cwd=tmp_path,
        env={"HOME": "/somebody", "PYTHONPATH": str(unpacked), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran.stdout.split() == ["/somebody/.local/share/taskhub", str(unpacked / "taskhub" / "files")]
