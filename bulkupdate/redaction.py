"""Secrets taken out of texts that come from outside: a service may repeat in an error what it was sent."""

from __future__ import annotations

import base64
import html
import json
import re
from urllib.parse import quote, quote_plus

SHORTEST = 4
"""A shorter text stands in too many words by chance to be taken out."""


class Redactor:
    """Knows the password and every token of one client, in the forms they may come back in. Thread-safe."""

    def __init__(self) -> None:
        self._secrets: tuple[str, ...] = ()
        self._pattern = re.compile("(?!)")  # matches nothing

    def learn(self, secret: str) -> None:
        """Take this text out from now on."""
        if len(secret) < SHORTEST or secret in self._secrets:
            return
        self._secrets = (*self._secrets, secret)
        forms = {form for each in self._secrets for form in _forms_of(each)}
        self._pattern = re.compile("|".join(map(re.escape, sorted(forms, key=len, reverse=True))))

    def redact(self, text: str) -> str:
        """The text with every secret replaced by `[secret]`."""
        return self._pattern.sub("[secret]", text)

    def __repr__(self) -> str:
        return "Redactor(…)"


def _forms_of(secret: str) -> set[str]:
    """The text as it is, in a URL, in JSON, in HTML, and in base64."""
    in_url = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    in_url |= {re.sub("%..", lambda code: code[0].lower(), each) for each in in_url}
    in_json = json.dumps(secret)[1:-1]
    in_json_too = json.dumps(secret, ensure_ascii=False)[1:-1]
    encoded = secret.encode()
    in_base64 = {base64.b64encode(encoded).decode(), base64.urlsafe_b64encode(encoded).decode()}
    in_base64 |= {each.rstrip("=") for each in in_base64}
    in_html = {html.escape(secret), html.escape(secret, quote=False)}
    return {secret, in_json, in_json_too, in_json.replace("/", "\\/"), *in_url, *in_base64, *in_html}
