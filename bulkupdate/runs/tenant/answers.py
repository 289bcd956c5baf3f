"""Ask the service, and keep only what is not personal of each answer: its status, its keys, the kinds of values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any
from urllib.parse import urlencode, urlsplit

from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.response import Verdict
from bulkupdate.sellercloud.single_request import RequestResult, send_once

_NAME = re.compile(r"[A-Za-z_.$][A-Za-z0-9_.$-]{0,59}", re.ASCII)
_OTHER_NAME = "(another name)"
_DEEPEST = 3
_MOST_KEYS = 500
_SHORTEST_TEXT = 4
"""Shorter ones occur in names by chance."""
_KINDS: Mapping[type, str] = {str: "text", bool: "true or false", list: "list", dict: "object", type(None): "null"}


@dataclass(frozen=True)
class AnswerShape:
    """What is kept of an answer. `status` is None if none came; `keys` are paths of the body with the kind of each."""

    question: str
    status: int | None
    keys: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, object]:
        """Return it for the report; a hash tells two bodies of different keys apart."""
        digest = hashlib.sha256(json.dumps(sorted(self.keys.items())).encode()).hexdigest()[:16]
        return {"question": self.question, "status": self.status, "keys": dict(self.keys), "hash": digest}


@dataclass
class Questioner:
    """Asks the service, one request at a time. `watch` is called before each; `shapes` are those of all answers.

    No key is kept that holds a value of a customer that was read, of the login, or of the service's address.
    """

    client: Client
    watch: Callable[[str], None] = lambda _question: None
    shapes: list[AnswerShape] = field(default_factory=list)
    _words: set[str] = field(default_factory=set)
    _texts: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._learn(urlsplit(self.client.base_url).netloc)

    def get(self, question: str, path: str, query: Mapping[str, object] | None = None) -> RequestResult:
        """GET a path below the base URL; a value of the query that is a list is repeated."""
        suffix = f"?{urlencode({f'model.{name}': value for name, value in query.items()}, True)}" if query else ""
        return self.send(question, "GET", f"{self.client.base_url}/{path}{suffix}")

    def get_optional(self, question: str, url: str) -> RequestResult:
        """GET something that the login may not be allowed to see: a 401 is an answer and leads to no new sign-in."""
        return self.send(question, "GET", url, token=self.client.pipeline.token)

    def send(self, question: str, method: str, url: str, body: str | None = None, *, token: str = "") -> RequestResult:
        """Send any request once. Raises what `send_once` raises."""
        self.watch(question)
        answer = send_once(self.client, method, url, body, token=token)
        found = answer.response.json if answer.response else None
        for text in _list_texts(found) if "/Customers" in url else [self.client.signed_in_as]:
            self._learn(text)
        keys = dict(islice(self._list_keys(found), _MOST_KEYS)) if isinstance(found, dict | list) else {}
        self.shapes.append(AnswerShape(question, answer.status, keys))
        return answer

    def _list_keys(self, value: Any, path: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
        if isinstance(value, list):
            yield from self._list_keys(value[0], f"{path}[]", depth) if value else ()
        elif not isinstance(value, dict):
            yield path, _KINDS.get(type(value), "number")
        elif depth == _DEEPEST:
            yield path, "object"
        else:
            for name, item in value.items():
                yield from self._list_keys(item, f"{path}.{self._hide(str(name))}".lstrip("."), depth + 1)

    def _learn(self, text: str) -> None:
        self._words.update(text.casefold().split())
        if len(compact := _compact(text)) >= _SHORTEST_TEXT:
            self._texts.add(compact)

    def _hide(self, name: str) -> str:
        compact = _compact(name)
        is_private = (
            name.casefold() in self._words
            or any(text in compact for text in self._texts)
            or self.client.pipeline.redact(name) != name
        )
        return name if _NAME.fullmatch(name) and not is_private else _OTHER_NAME


def _list_texts(value: Any) -> Iterator[str]:
    """Yield all texts and numbers in a body."""
    if isinstance(value, str | int | Decimal) and not isinstance(value, bool):
        yield str(value)
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _list_texts(part)


def _compact(text: str) -> str:
    return re.sub("[^a-z0-9]", "", text.casefold())


def list_names(names: Iterable[object]) -> list[str]:
    """Return those that are names of a program rather than anyone's words."""
    return sorted(filter(_NAME.fullmatch, map(str, names)))


def read_object(answer: RequestResult) -> dict[str, Any] | None:
    """Return the JSON object of an accepted answer; None for any other."""
    response = answer.response
    is_accepted = response is not None and response.verdict is Verdict.ACCEPTED
    return response.json if is_accepted and response is not None and isinstance(response.json, dict) else None


def read_id(item: Mapping[str, Any]) -> str | None:
    """Return the id of a customer of the list, whatever its type; None if it is missing."""
    found = item.get("UserID")
    return None if found is None else str(found)


def read_items(answer: RequestResult) -> list[dict[str, Any]] | None:
    """Return the customers of a page of the list; None if the answer has no list."""
    items = (read_object(answer) or {}).get("Items")
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else None
