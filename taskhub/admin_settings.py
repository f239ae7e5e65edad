"""What the admin's skin is told: names, colours, files of ours, the menu."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest

# The stylesheets of every page, in their order; a page asks for all of them as one file (`static_storage`).
COMPONENTS = (
    "tokens",
    "shell",
    "badge",
    "live",
    "button",
    "card",
    "stats",
    "views",
    "table",
    "selection",
    "progress",
    "facts",
    "log",
    "form",
    "code",
    "dialog",
    "chart",
    "keys",
)
STYLESHEET = "css/taskhub.css"


def _file(path: str) -> Callable[[HttpRequest], str]:
    """The address of a static file, found when a page asks: its name carries a hash known only then."""

    def address(request: HttpRequest) -> str:
        from django.templatetags.static import static

        return static(path)

    return address


def skin() -> dict[str, Any]:
    """The dictionary for `UNFOLD`."""
    return {
        "SITE_TITLE": "Taskhub",
        "SITE_HEADER": "Taskhub",
        "SITE_SUBHEADER": "taskhub.admin_shell.host_name",
        "SITE_URL": None,
        "SITE_ICON": _file("img/logo.svg"),
        "SITE_FAVICONS": [
            {"rel": "icon", "type": "image/svg+xml", "href": _file("img/favicon.svg")},
        ],
        "SHOW_HISTORY": False,
        "SHOW_VIEW_ON_SITE": False,
        "SHOW_BACK_BUTTON": False,
        "BORDER_RADIUS": "6px",
        "ENVIRONMENT": "taskhub.admin_shell.environment_label",
        "LOGIN": {"form": "taskhub.admin_sign_in.SignInForm"},
        "STYLES": [_file(STYLESHEET)],
        "SIDEBAR": {
            "show_search": False,
            "show_all_applications": False,
            "navigation": "taskhub.admin_shell.navigation",
        },
        "COLORS": {
            "primary": {
                "50": "oklch(97% .014 254.604)",
                "100": "oklch(93.2% .032 255.585)",
                "200": "oklch(88.2% .059 254.128)",
                "300": "oklch(80.9% .105 251.813)",
                "400": "oklch(70.7% .165 254.624)",
                "500": "oklch(62.3% .214 259.815)",
                "600": "oklch(54.6% .245 262.881)",
                "700": "oklch(48.8% .243 264.376)",
                "800": "oklch(42.4% .199 265.638)",
                "900": "oklch(37.9% .146 265.522)",
                "950": "oklch(28.2% .091 267.935)",
            },
        },
    }
