"""How static files are named and stored."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from servestatic.storage import CompressedManifestStaticFilesStorage

from taskhub.admin_settings import COMPONENTS, STYLESHEET

# What Django looks for, but the semicolon at the end may be missing.
_IMPORTS = (
    (
        r"""(?m)^(?P<matched>import\s*(?P<names>[\w\s{},*$]+?)\s*from\s*["'](?P<url>[./][^"']*)["'];?)""",
        """import %(names)s from "%(url)s";""",
    ),
    (
        r"""(?m)^(?P<matched>export\s*(?P<names>[\w\s{},*$]+?)\s*from\s*["'](?P<url>[./][^"']*)["'];?)""",
        """export %(names)s from "%(url)s";""",
    ),
    (r"""(?m)^(?P<matched>import\s*["'](?P<url>[./][^"']*)["'];?)""", """import "%(url)s";"""),
    (r"""(?P<matched>\bimport\(["'](?P<url>[./][^"']*)["']\))""", """import("%(url)s")"""),
)


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # servestatic ships no types
    """Hashed names, also inside the `import` lines of our modules.

    Without that a module would be loaded twice: as `live.js` by another module and as
    `live.<hash>.js` by the page, with two sockets.
    """

    support_js_module_import_aggregation = True
    # Only below `js/`, where ours are: looking through other people's bundles takes seconds of a start.
    _js_module_import_aggregation_patterns = ("js/*.js", _IMPORTS)

    def post_process(
        self, paths: Mapping[str, Any], dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str | None, bool | Exception]]:
        """The stylesheets of every page also as one file: nothing is painted before the last of them is there."""
        parts = [name for name in (f"css/{part}.css" for part in COMPONENTS) if name in paths]
        if parts and not dry_run:
            together = "\n".join(Path(self.path(name)).read_text(encoding="utf-8") for name in parts)
            Path(self.path(STYLESHEET)).write_text(together, encoding="utf-8")
            paths = {**paths, STYLESHEET: (self, STYLESHEET)}
        yield from super().post_process(paths, dry_run, **options)
