"""The theme of the staff's pages (django-unfold). Everything it loads comes from our own static files."""

from typing import Any

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Facturino Connect staff",
    "SITE_HEADER": "Facturino Connect",
    "SITE_SUBHEADER": "connect.admin.appearance.subheader",
    "SITE_SYMBOL": "account_balance",
    "SITE_URL": "connect.admin.appearance.dashboard_url",
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "connect.admin.appearance.favicon_url"}],
    "SITE_DROPDOWN": "connect.admin.appearance.ways_out",
    "STYLES": ["connect.admin.appearance.style_url"],
    "ENVIRONMENT": "connect.admin.appearance.environment_label",
    "ENVIRONMENT_TITLE_PREFIX": "connect.admin.appearance.title_prefix",
    "SHOW_HISTORY": "connect.admin.appearance.is_platform",
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SIDEBAR": {"show_search": True, "command_search": True},
    "BORDER_RADIUS": "6px",
    "COLORS": {
        # The dashboard's teal, dark enough at 600 for text on white and light enough at 500 for text on black.
        "primary": {
            "50": "oklch(97.8% .012 205)",
            "100": "oklch(95% .026 205)",
            "200": "oklch(90% .05 205)",
            "300": "oklch(84% .08 205)",
            "400": "oklch(78% .1 205)",
            "500": "oklch(71% .1 205)",
            "600": "oklch(46.5% .075 205)",
            "700": "oklch(41% .068 205)",
            "800": "oklch(36% .058 205)",
            "900": "oklch(31% .048 205)",
            "950": "oklch(23% .036 205)",
        },
    },
}
