"""A loaded page in light and dark, on a desk and on a phone."""

from collections.abc import Iterator
from typing import Any

from playwright.sync_api import expect

DESK, PHONE = (1440, 900), (390, 844)
WIDTHS = {"1440": DESK, "390": PHONE}
_DARK = "dark => document.documentElement.classList.toggle('dark', dark)"
# Halfway from one theme to the other a colour belongs to neither.
_SETTLED = "() => document.getAnimations().every(each => !(each instanceof CSSTransition))"
_HIDDEN_WIDTH = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def looks(page: Any) -> Iterator[str]:
    """Show the page in each look and say its name, as `dark-390`; at the end it is as it was.

    Loading the page anew for each would take most of the time and change nothing.
    """
    before = page.viewport_size
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.evaluate(_DARK, theme == "dark")
        for name, (width, height) in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            expect(page.locator("html")).to_have_class("dark" if theme == "dark" else "")
            page.wait_for_function(_SETTLED)
            yield f"{theme}-{name}"
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.evaluate(_DARK, False)
    page.set_viewport_size(before)


def too_wide(page: Any) -> bool:
    """Whether something stands out of the page sideways."""
    return bool(page.evaluate(_HIDDEN_WIDTH) > 0)
