"""Compress pages, scripts and styles on their way to the browser."""

from __future__ import annotations

import gzip
import io
import secrets

from flask import Response, request

MIN_BYTES = 1000
_TYPES = ("text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml")
_LEVEL = 5
_MAX_PADDING = 48


def compress(response: Response) -> Response:
    """Compress a response if the browser accepts that and it is large enough.

    The length is padded at random, so that it reveals nothing about a page with a secret (the form token).
    """
    if response.mimetype not in _TYPES or response.status_code != 200 or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"]:
        return response
    response.direct_passthrough = False
    content = response.get_data()
    if len(content) >= MIN_BYTES:
        response.set_data(_pack(content))
        response.headers["Content-Encoding"] = "gzip"
        if response.headers.get("ETag"):
            response.headers["ETag"] = response.headers["ETag"].rstrip('"') + '-gzip"'
    return response


def _pack(content: bytes) -> bytes:
    packed = io.BytesIO()
    padding = "p" * secrets.randbelow(_MAX_PADDING)  # the name that a gzip stream may carry
    with gzip.GzipFile(padding, "wb", _LEVEL, packed, mtime=0) as stream:
        stream.write(content)
    return packed.getvalue()
