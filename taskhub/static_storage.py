"""How static files are named and stored."""

from servestatic.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc] # servestatic ships no types
    """Hashed names, also inside the `import` lines of our modules.

    Without that a module would be loaded twice: as `live.js` by another module and as
    `live.<hash>.js` by the page, with two sockets.
    """

    support_js_module_import_aggregation = True
