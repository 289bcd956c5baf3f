"""Secrets taken out of texts that come from outside: a service may repeat in an error what it was sent."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A shorter text stands in too many words by chance to be taken out."""


class Redactor:
    """Knows the password and every token of one client, in the forms they may come back in. Thread-safe."""

    def __init__(self) -> None:
        self._forms: tuple[str, ...] = ()

    def learn(self, secret: str) -> None:
        """Take this text out from now on."""
        if len(secret) >= SHORTEST and secret not in self._forms:
            encoded = base64.b64encode(secret.encode()).decode()
            forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], encoded.rstrip("=")}
            self._forms = tuple(sorted({*self._forms, *forms}, key=len, reverse=True))

    def redact(self, text: str) -> str:
        """The text with every secret replaced by `[secret]`."""
        for form in self._forms:
            text = text.replace(form, "[secret]")
        return text

    def __repr__(self) -> str:
        return "Redactor(…)"
