"""How static files are named and stored."""

from servestatic.storage import CompressedManifestStaticFilesStorage

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
