"""The project's own source files, read as syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("taskhub", "scaffolding", "runspaces_app", "tasks_app", "jobs_app")
SKIPPED = ("migrations", "blueprints", "__pycache__")


def python_files(*folders: str) -> list[Path]:
    """Python files below these folders of the project, without migrations and app templates."""
    return sorted(
        file
        for folder in folders or PACKAGES
        for file in (ROOT / folder).rglob("*.py")
        if not set(SKIPPED) & set(file.relative_to(ROOT).parts)
    )


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), filename=str(file))


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(file: Path) -> Iterator[tuple[str, int]]:
    """Full name of each module the file imports, with its line; `from a import b` gives `a.b`."""
    package = module_name(file).split(".")
    if file.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                yield f"{start}.{alias.name}", node.lineno


def place(file: Path, line: int) -> str:
    return f"{file.relative_to(ROOT)}:{line}"
