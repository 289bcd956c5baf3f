"""A plain client of the sandbox, to see what goes over the wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from bulkupdate.clock import Clock
from bulkupdate.sandbox.faults import FaultSchedule
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions

FIRST = 100_001


class Caller:
    """Signs in at once and keeps its connection; every answer comes within `timeout` seconds or not at all."""

    def __init__(self, sandbox: Sandbox, timeout: float = 10.0) -> None:
        self.sandbox = sandbox
        self.timeout = timeout
        self.session = requests.Session()
        self.session.trust_env = False
        self.sign_in()

    def sign_in(self, password: str = "sandbox") -> requests.Response:
        login = {"Username": "sandbox", "Password": password}
        answer = self.session.post(f"{self.sandbox.base_url}/token", json=login, timeout=self.timeout)
        if answer.status_code == 200:
            self.session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return answer

    def put(self, body: Any, customer_id: object = FIRST) -> requests.Response:
        return self.session.put(f"{self.sandbox.base_url}/Customers/{customer_id}", json=body, timeout=self.timeout)

    def put_text(self, body: str | bytes, content_type: str = "application/json") -> requests.Response:
        return self.session.put(
            f"{self.sandbox.base_url}/Customers/{FIRST}",
            body,
            headers={"Content-Type": content_type},
            timeout=self.timeout,
        )

    def get(self, customer_id: object = FIRST) -> requests.Response:
        return self.session.get(f"{self.sandbox.base_url}/Customers/{customer_id}", timeout=self.timeout)

    def list(self, *customer_ids: int, page: int = 1, size: int = 50, **filters: str) -> dict[str, Any]:
        query: list[tuple[str, Any]] = [("model.customerIds", each) for each in customer_ids]
        query += [(f"model.{name}", text) for name, text in filters.items()]
        query += [("model.pageNumber", page), ("model.pageSize", size)]
        answer = self.session.get(f"{self.sandbox.base_url}/Customers", params=query, timeout=self.timeout)
        assert answer.status_code == 200
        return answer.json()

    def judge(self, path: str) -> Any:
        return self.session.get(f"{self.sandbox.root_url}/sandbox/{path}", timeout=self.timeout).json()


class TurnedClock(Clock):
    """A clock whose hands a test turns; it never waits, and notes how long it should have."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.time = now
        self.waits: list[float] = []

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float, stop: Any) -> bool:
        self.waits.append(seconds)
        return bool(stop.is_set())


@contextmanager
def call_sandbox(plan: FaultSchedule | None = None, clock: Clock | None = None, **options: Any) -> Iterator[Caller]:
    """A running sandbox of those options and a caller who has signed in."""
    with Sandbox(SandboxOptions(**options), plan=plan, clock=clock) as sandbox:
        yield Caller(sandbox)
