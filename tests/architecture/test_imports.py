"""Imports run one way: wiring, jobs, tasks, scaffolding, core; runspaces beside them."""

import sys
from pathlib import Path

import pytest

from tests.architecture.sources import PACKAGES, ROOT, imports, module_name, place, python_files

pytestmark = pytest.mark.one_database

# Each part with the parts it may import besides itself.
ARROWS = {
    "taskhub": {"jobs_app", "tasks_app", "scaffolding", "runspaces_app", "taskhub.core"},
    "jobs_app": {"tasks_app", "scaffolding", "runspaces_app", "taskhub.core"},
    "tasks_app": {"scaffolding", "runspaces_app", "taskhub.core"},
    "scaffolding": {"taskhub.core"},
    "runspaces_app": {"taskhub.core"},
    "taskhub.core": set(),
}
# Run by scripts' processes and by the writer, which start without Django and without our packages.
STANDARD_LIBRARY_ONLY = [
    *python_files("runspaces_app/worker", "runspaces_app/writing"),
    ROOT / "runspaces_app/writer.py",
    ROOT / "taskhub/core/secrets_pipe.py",
    ROOT / "taskhub/core/clock.py",
    ROOT / "taskhub/core/failpoints.py",
]
NEIGHBOURS = (
    "runspaces_app.worker",
    "runspaces_app.writing",
    "taskhub.core.clock",
    "taskhub.core.failpoints",
)


def part(module: str) -> str | None:
    """The part of the project a module belongs to; None for other people's."""
    if module == "taskhub.core" or module.startswith("taskhub.core."):
        return "taskhub.core"
    top = module.split(".")[0]
    return top if top in PACKAGES else None


@pytest.mark.parametrize("owner", ARROWS)
def test_a_part_imports_only_what_lies_below_it(owner):
    wrong = [
        f"{place(file, line)} imports {name}"
        for file in python_files()
        if part(module_name(file)) == owner
        for name, line in imports(file)
        if (found := part(name)) is not None and found != owner and found not in ARROWS[owner]
    ]
    assert wrong == []


@pytest.mark.parametrize("file", STANDARD_LIBRARY_ONLY, ids=lambda file: str(file.relative_to(ROOT)))
def test_what_runs_beside_scripts_imports_the_standard_library_only(file: Path):
    folder = module_name(file).rpartition(".")[0]
    siblings = {other.stem for other in file.parent.glob("*.py")} | {
        other.name for other in file.parent.iterdir() if other.is_dir()
    }
    wrong = [
        f"{place(file, line)} imports {name}"
        for name, line in imports(file)
        if name.split(".")[0] not in sys.stdlib_module_names | siblings
        and not name.startswith((*NEIGHBOURS, f"{folder}."))
    ]
    assert wrong == []


def test_packages_that_scripts_import_run_no_code():
    assert (ROOT / "taskhub/__init__.py").read_text() == ""
    assert (ROOT / "taskhub/core/__init__.py").read_text() == ""
