"""What axe-core finds on a page, as far as the page is ours and not the skin's."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe

# The skin's own boxes: its menus and its header. What stands in #content is ours.
OURS = ["#content"]
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


class _Axe(Axe):  # type: ignore[misc] # it ships no types
    """Puts its script into a page only once: a page is looked at in four looks."""

    axe_script: str

    def run(self, page: Any, **asked: Any) -> Any:
        script, self.axe_script = (
            self.axe_script,
            "0" if page.evaluate("'axe' in window") else self.axe_script,
        )
        try:
            return super().run(page, **asked)
        finally:
            self.axe_script = script


_AXE = _Axe()


def serious(page: Any, parts: list[str] | None = None) -> list[str]:
    """One line per serious or critical violation: rule, what it asks for, and the elements that break it.

    Args:
        parts: CSS selectors of what is looked at; all that stands in the shell if not given.
    """
    found = _AXE.run(
        page,
        context={"include": [[part] for part in parts or OURS]},
        options={"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]},
    )
    return [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes']]}"
        for each in found.response["violations"]
        if each["impact"] in ("serious", "critical")
    ]
