"""Answers as bytes: typed structs straight to JSON. Nothing is omitted, because clients rely on nulls being there."""

from __future__ import annotations

from typing import Any

import msgspec
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer

CONTENT_TYPE = "application/json"

_encoder = msgspec.json.Encoder(decimal_format="string", uuid_format="canonical")


def render_bytes(value: Any) -> bytes:
    """Any struct, dict or list of them as JSON in UTF-8. Used inside the transaction: what is stored is sent."""
    return _encoder.encode(value)


class JsonRenderer(BaseRenderer):
    """DRF's side of `render_bytes`; bytes that are rendered already pass through untouched."""

    media_type = CONTENT_TYPE
    format = "json"
    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        if isinstance(data, bytes):
            return data
        return b"" if data is None else render_bytes(data)


JSON = JsonRenderer()


class JsonOnly(DefaultContentNegotiation):
    """The API speaks JSON whatever `Accept` says: a browser that opens an address sees the error object, not a 406."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type
