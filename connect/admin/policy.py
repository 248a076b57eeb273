"""What a browser may do on the staff's pages. Everywhere else the strict policy of the settings holds."""

from __future__ import annotations

from typing import Final

CONTENT_SECURITY_POLICY: Final[dict[str, list[str]]] = {
    "default-src": ["'none'"],
    # The theme's Alpine.js evaluates the expressions in its attributes; there is no inline script.
    "script-src": ["'self'", "'unsafe-eval'"],
    # The theme writes its colours into a <style> and widths into style attributes.
    "style-src": ["'self'", "'unsafe-inline'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "base-uri": ["'none'"],
}
