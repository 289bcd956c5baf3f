"""Process a request of the sandbox: count it, inject a fault, sign in, update, read.

Independent of the HTTP server.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from bulkupdate.clock import Clock
from bulkupdate.sandbox.api_description import describe_api
from bulkupdate.sandbox.customer_list import first_value, list_customers
from bulkupdate.sandbox.customer_store import CustomerStore
from bulkupdate.sandbox.faults import (
    FAULTS,
    FAULTS_ON,
    Fault,
    FaultChoice,
    FaultSchedule,
    FaultSettings,
    Kind,
    RatedFaults,
    RequestCounter,
)
from bulkupdate.sandbox.payloads import check_update, to_get_response
from bulkupdate.sandbox.quota import SandboxQuota
from bulkupdate.sandbox.request_log import ReceivedRequest, RequestLog
from bulkupdate.sandbox.responses import SandboxResponse, answer_json, error_response, parse_json, throttle
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.sandbox.tokens import IssuedToken, Tokens

DENIED = "Authorization has been denied for this request."


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A request as it comes in. `authorization` is the header's text; `host_url` the server's address, with `/`.

    `refusal_status` is the status of a request of kind `other`, which asks for something that does not exist.
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
    """The sandbox itself. Thread-safe. `stop` is set when the sandbox ends, and ends all waiting."""

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
        self._counter = RequestCounter()
        self._counter_lock = threading.Lock()
        self._handlers: Mapping[Kind, Callable[[IncomingRequest, bool], tuple[SandboxResponse, bool]]] = {
            "token": self._sign_in, "team": self._find_team,
            "write": self._write, "read": self._read, "list": self._list,
            "swagger": self._describe_api, "server": self._describe_server, "other": self._refuse_other,
        }  # fmt: skip

    def answer(self, incoming: IncomingRequest) -> SandboxResponse:
        """Return the response to one request, after the set latency; the request is in the log from the start."""
        now = self.clock.now()
        token = self._tokens.find(incoming.authorization.removeprefix("Bearer "))
        request = ReceivedRequest(
            0, now, incoming.kind, incoming.method, incoming.path, incoming.query, incoming.customer_id,
            b"" if incoming.kind == "token" else incoming.body, token.number if token else None,
        )  # fmt: skip
        self.log.open(request)
        reset_time = None if incoming.kind == "team" else self._allowance.spend(self._name_user(incoming, token), now)
        choice = None if reset_time is not None else self._choose_fault(incoming)
        if reset_time is None:
            response = self._respond(incoming, request, choice)
        else:
            request.is_throttled = True
            response = throttle(self.options.throttle_status, reset_time)
        request.status = None if response.cut else response.status
        self._wait_until(now + self.options.latency_seconds)
        self.log.close(request)
        return response

    def _wait_until(self, time: float) -> None:
        """Wait for the rest of the latency, which includes the time of the processing."""
        if self.options.latency_seconds:
            self.clock.wait(time - self.clock.now(), self.stop)

    def _name_user(self, incoming: IncomingRequest, token: IssuedToken | None) -> str:
        """Return the user whose quota a request spends: that of the token, or the one that signs in."""
        if incoming.kind == "token":
            login = _read_login(incoming.body)
            return str(login.get("Username", ""))
        return token.user if token else ""

    def _choose_fault(self, incoming: IncomingRequest) -> FaultChoice:
        if self.plan is None:
            return None
        with self._counter_lock:
            request = self._counter.number(incoming.kind, incoming.customer_id)
        return self.plan(request)

    def _respond(self, incoming: IncomingRequest, request: ReceivedRequest, choice: FaultChoice) -> SandboxResponse:
        if isinstance(choice, SandboxResponse):
            request.fault = "planned"
            return choice
        fault = FAULTS[choice] if choice else None
        if fault is None or incoming.kind not in fault.kinds:
            response, request.applied = self._handlers[incoming.kind](incoming, True)
            return response
        request.fault = choice
        return self._apply_fault(fault, incoming, request)

    def _apply_fault(self, fault: Fault, incoming: IncomingRequest, request: ReceivedRequest) -> SandboxResponse:
        response = SandboxResponse(200)
        if fault.is_handled:
            response, request.applied = self._handlers[incoming.kind](incoming, fault.is_applied)
        if fault.revokes_tokens:
            self._tokens.revoke_all()
        options = self.options
        fault_settings = FaultSettings(
            self.clock.now(), options.slow_seconds, options.throttle_seconds, options.byte_seconds,
            options.retry_after_seconds,
        )  # fmt: skip
        return fault.transform(response, fault_settings)

    def _sign_in(self, incoming: IncomingRequest, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        login = _read_login(incoming.body)
        options = self.options
        user = login.get("Username")
        if user not in options.username.split(",") or login.get("Password") != options.password:
            return error_response(options.sign_in_refusal_status, "The user name or password is incorrect."), False
        return answer_json(self._tokens.issue(str(user), self.clock.now()).describe()), False

    def _find_team(self, incoming: IncomingRequest, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        """Return the documented response, which has status 200 for a failure too (`docs/api.md`, section Address)."""
        team = first_value(parse_qs(incoming.query), "team")
        if team != self.options.team:
            return answer_json({"Success": False, "Message": f"Team {team!r} was not found."}), False
        return answer_json({"Success": True, "RestApiEndpoint": f"{incoming.host_url}rest"}), False

    def _write(self, incoming: IncomingRequest, is_applied: bool) -> tuple[SandboxResponse, bool]:
        refusal = self._refuse_token(incoming) or self._refuse_media_type(incoming) or self._refuse_id(incoming)
        if refusal:
            return refusal, False
        try:
            updates = check_update(parse_json(incoming.body), self.options)
            self.registry.update(int(incoming.customer_id), updates, is_applied=is_applied)
        except KeyError:
            return self._refuse_unknown(incoming.customer_id), False
        except ValueError as error:
            return error_response(400, f"The request is invalid. {error}"), False
        return answer_json({"ID": int(incoming.customer_id)}), is_applied

    def _read(self, incoming: IncomingRequest, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        refusal = self._refuse_token(incoming) or self._refuse_id(incoming)
        if refusal:
            return refusal, False
        customer = self.registry.read(int(incoming.customer_id))
        if customer is None:
            return self._refuse_unknown(incoming.customer_id), False
        return answer_json(to_get_response(int(incoming.customer_id), customer)), False

    def _list(self, incoming: IncomingRequest, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        refusal = self._refuse_token(incoming)
        if refusal:
            return refusal, False
        try:
            return answer_json(list_customers(self.registry, self.options, parse_qs(incoming.query))), False
        except ValueError as error:
            return error_response(400, f"The request is invalid. {error}"), False

    def _describe_api(self, _incoming: IncomingRequest, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        return answer_json(describe_api()), False

    def _describe_server(self, incoming: IncomingRequest, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        """Return the build date (`docs/api.md`, section Description served by a tenant); its names are made up."""
        server = answer_json({"ServerName": "sandbox", "BuildDate": self.options.build_date})
        return self._refuse_token(incoming) or server, False

    def _refuse_other(self, incoming: IncomingRequest, _is_applied: bool) -> tuple[SandboxResponse, bool]:
        return error_response(
            incoming.refusal_status, f"No resource was found for {incoming.method} {incoming.path}."
        ), False

    def _refuse_token(self, incoming: IncomingRequest) -> SandboxResponse | None:
        scheme, _, text = incoming.authorization.partition(" ")
        token = self._tokens.find(text) if scheme == "Bearer" else None
        is_valid = token is not None and self._tokens.is_valid(token, self.clock.now())
        return None if is_valid else error_response(401, DENIED)

    def _refuse_media_type(self, incoming: IncomingRequest) -> SandboxResponse | None:
        is_json = incoming.content_type.partition(";")[0].strip().lower() == "application/json"
        return None if is_json else error_response(415, "The request's media type is not supported.")

    def _refuse_id(self, incoming: IncomingRequest) -> SandboxResponse | None:
        is_id = re.fullmatch("[0-9]{1,18}", incoming.customer_id)
        return None if is_id else error_response(400, "The request is invalid. The customer id is not a number.")

    def _refuse_unknown(self, customer_id: str) -> SandboxResponse:
        return error_response(self.options.unknown_customer_status, f"Customer {customer_id} was not found.")


def _read_login(body: bytes) -> Mapping[str, object]:
    try:
        login = parse_json(body)
    except ValueError:
        return {}
    return login if isinstance(login, dict) else {}
