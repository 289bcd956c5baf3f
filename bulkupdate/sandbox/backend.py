"""What the sandbox does with a request: count it, inject a fault, sign in, update, read.

Knows nothing of HTTP servers.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from bulkupdate.clock import Clock
from bulkupdate.sandbox.customer_store import CustomerStore
from bulkupdate.sandbox.faults import (
    FAULTS,
    FAULTS_ON,
    CallCounter,
    Fault,
    FaultSchedule,
    Figures,
    Kind,
    RatedFaults,
    Trouble,
)
from bulkupdate.sandbox.payloads import check_update, list_item, to_get_response
from bulkupdate.sandbox.quota import SandboxQuota
from bulkupdate.sandbox.request_log import ReceivedRequest, RequestLog
from bulkupdate.sandbox.responses import SandboxResponse, answer_json, parse_json, refuse, throttle
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sandbox.tokens import IssuedToken, Tokens

DENIED = "Authorization has been denied for this request."


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it comes in. `authorization` is the header's text; `host_url` the server's address, with `/`.

    `refusal_status` is the status of a request of kind `other`: one that asks for nothing the service has.
    """

    kind: Kind
    method: str
    path: str
    query: str = ""
    customer_id: str = ""
    body: bytes = b""
    content_type: str = ""
    authorization: str = ""
    host_url: str = ""
    refusal_status: int = 404


@dataclass
class Backend:
    """The stand-in itself. Thread-safe. `stop` is set when the sandbox ends, so that nothing waits on."""

    options: SandboxOptions = field(default_factory=SandboxOptions)
    plan: FaultSchedule | None = None
    clock: Clock = field(default_factory=Clock)
    stop: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        options = self.options
        if self.plan is None and options.faults:
            self.plan = RatedFaults(options.faults, options.fault_seed, FAULTS_ON[options.faults_on])
        self.log = RequestLog(options.kept_requests)
        self.registry = CustomerStore(options)
        self._tokens = Tokens(options.token_seconds)
        self._allowance = SandboxQuota(
            options.requests_per_hour, options.window_seconds, is_rolling=options.window == "rolling"
        )
        self._calls = CallCounter()
        self._calls_lock = threading.Lock()
        self._handlers: Mapping[Kind, Callable[[Incoming, bool], tuple[SandboxResponse, bool]]] = {
            "token": self._sign_in, "team": self._find_team,
            "write": self._write, "read": self._read, "list": self._list,
            "other": self._refuse_other,
        }  # fmt: skip

    def answer(self, incoming: Incoming) -> SandboxResponse:
        """Return the answer to one request, after the latency set; the request is in the log from the first moment."""
        now = self.clock.now()
        token = self._tokens.find(incoming.authorization.removeprefix("Bearer "))
        request = ReceivedRequest(
            0, now, incoming.kind, incoming.method, incoming.path, incoming.query, incoming.customer_id,
            b"" if incoming.kind == "token" else incoming.body, token.number if token else None,
        )  # fmt: skip
        self.log.open(request)
        reset_time = None if incoming.kind == "team" else self._allowance.spend(self._name_user(incoming, token), now)
        trouble = None if reset_time is not None else self._choose_trouble(incoming)
        if reset_time is None:
            reply = self._answer_in_trouble(incoming, request, trouble)
        else:
            request.is_throttled = True
            reply = throttle(self.options.throttle_status, reset_time)
        request.status = None if reply.cut else reply.status
        self._wait_until(now + self.options.latency_seconds)
        self.log.close(request)
        return reply

    def _wait_until(self, time: float) -> None:
        """Wait for the rest of the latency: our own work is part of it."""
        if self.options.latency_seconds:
            self.clock.wait(time - self.clock.now(), self.stop)

    def _name_user(self, incoming: Incoming, token: IssuedToken | None) -> str:
        """Whose allowance a request spends from: the token's user, or the one that signs in."""
        if incoming.kind == "token":
            login = _read_login(incoming.body)
            return str(login.get("Username", ""))
        return token.user if token else ""

    def _choose_trouble(self, incoming: Incoming) -> Trouble:
        if self.plan is None:
            return None
        with self._calls_lock:
            call = self._calls.number(incoming.kind, incoming.customer_id)
        return self.plan(call)

    def _answer_in_trouble(self, incoming: Incoming, request: ReceivedRequest, trouble: Trouble) -> SandboxResponse:
        if isinstance(trouble, SandboxResponse):
            request.fault = "planned"
            return trouble
        fault = FAULTS[trouble] if trouble else None
        if fault is None or incoming.kind not in fault.strikes:
            reply, request.applied = self._handlers[incoming.kind](incoming, True)
            return reply
        request.fault = trouble
        return self._strike(fault, incoming, request)

    def _strike(self, fault: Fault, incoming: Incoming, request: ReceivedRequest) -> SandboxResponse:
        reply = SandboxResponse(200)
        if fault.is_handled:
            reply, request.applied = self._handlers[incoming.kind](incoming, fault.is_applied)
        if fault.ends_tokens:
            self._tokens.end_all()
        options = self.options
        figures = Figures(
            self.clock.now(), options.slow_seconds, options.throttle_seconds, options.byte_seconds,
            options.retry_after_seconds,
        )  # fmt: skip
        return fault.disguise(reply, figures)

    def _sign_in(self, incoming: Incoming, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        login = _read_login(incoming.body)
        options = self.options
        user = login.get("Username")
        if user not in options.username.split(",") or login.get("Password") != options.password:
            return refuse(options.sign_in_refusal_status, "The user name or password is incorrect."), False
        return answer_json(self._tokens.issue(str(user), self.clock.now()).describe()), False

    def _find_team(self, incoming: Incoming, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        """Return the documented answer, a failure with a 200 too (`docs/api.md`, section Address)."""
        team = _first(parse_qs(incoming.query), "team")
        if team != self.options.team:
            return answer_json({"Success": False, "Message": f"Team {team!r} was not found."}), False
        return answer_json({"Success": True, "RestApiEndpoint": f"{incoming.host_url}rest"}), False

    def _write(self, incoming: Incoming, is_applied: bool) -> tuple[SandboxResponse, bool]:
        refusal = self._refuse_token(incoming) or self._refuse_media_type(incoming) or self._refuse_id(incoming)
        if refusal:
            return refusal, False
        try:
            updates = check_update(parse_json(incoming.body), self.options.rating_format)
            self.registry.update(int(incoming.customer_id), updates, is_applied=is_applied)
        except KeyError:
            return self._refuse_unknown(incoming.customer_id), False
        except ValueError as error:
            return refuse(400, f"The request is invalid. {error}"), False
        return answer_json({"ID": int(incoming.customer_id)}), is_applied

    def _read(self, incoming: Incoming, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        refusal = self._refuse_token(incoming) or self._refuse_id(incoming)
        if refusal:
            return refusal, False
        customer = self.registry.read(int(incoming.customer_id))
        if customer is None:
            return self._refuse_unknown(incoming.customer_id), False
        return answer_json(to_get_response(int(incoming.customer_id), customer)), False

    def _list(self, incoming: Incoming, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        refusal = self._refuse_token(incoming)
        if refusal:
            return refusal, False
        query = parse_qs(incoming.query)
        try:
            number = _read_count(query, "model.pageNumber", 1)
            size = min(_read_count(query, "model.pageSize", self.options.page_size_cap), self.options.page_size_cap)
            ids = self._select(query.get("model.customerIds", []))
        except ValueError as error:
            return refuse(400, f"The request is invalid. {error}"), False
        page = ids[(number - 1) * size : number * size]
        found = ((each, self.registry.read(each)) for each in page)
        items = [list_item(each, customer) for each, customer in found if customer is not None]
        return answer_json({"Items": items, "TotalResults": len(ids)}), False

    def _select(self, asked: Sequence[str]) -> Sequence[int]:
        """Return the ids of a list: those asked for that there are, else all."""
        if not asked or not self.options.list_filter:
            return self.registry.ids
        return sorted({int(each) for each in asked if int(each) in self.registry.ids})

    def _refuse_other(self, incoming: Incoming, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        return refuse(incoming.refusal_status, f"No resource was found for {incoming.method} {incoming.path}."), False

    def _refuse_token(self, incoming: Incoming) -> SandboxResponse | None:
        scheme, _, text = incoming.authorization.partition(" ")
        token = self._tokens.find(text) if scheme == "Bearer" else None
        is_good = token is not None and self._tokens.is_good(token, self.clock.now())
        return None if is_good else refuse(401, DENIED)

    def _refuse_media_type(self, incoming: Incoming) -> SandboxResponse | None:
        is_json = incoming.content_type.partition(";")[0].strip().lower() == "application/json"
        return None if is_json else refuse(415, "The request's media type is not supported.")

    def _refuse_id(self, incoming: Incoming) -> SandboxResponse | None:
        is_id = re.fullmatch("[0-9]{1,18}", incoming.customer_id)
        return None if is_id else refuse(400, "The request is invalid. The customer id is no number.")

    def _refuse_unknown(self, customer_id: str) -> SandboxResponse:
        return refuse(self.options.unknown_customer_status, f"Customer {customer_id} was not found.")


def _read_login(body: bytes) -> Mapping[str, object]:
    try:
        login = parse_json(body)
    except ValueError:
        return {}
    return login if isinstance(login, dict) else {}


def _first(query: Mapping[str, Sequence[str]], name: str) -> str:
    return query.get(name, [""])[0]


def _read_count(query: Mapping[str, Sequence[str]], name: str, default: int) -> int:
    text = _first(query, name)
    if not text:
        return default
    if not re.fullmatch("[1-9][0-9]{0,8}", text):
        raise ValueError(f"{name} must be a whole number from 1.")
    return int(text)
