"""The faults that the sandbox can inject: what each one does, and which requests get it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bulkupdate.errors import UsageError
from bulkupdate.sandbox.responses import SandboxResponse, answer_html, answer_json, error_response, throttle

Kind = Literal["token", "write", "read", "list", "team", "swagger", "server", "other"]
"""What a request asks for: sign-in, PUT of a customer, GET of one, GET of many, a team's address, the API's
description, the server's build, anything else."""

TRICKLED_BYTES = 600
"""Length to which a trickled JSON body is padded with blanks: ten minutes at a byte a second."""


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """A request as a fault schedule sees it.

    `number` counts the requests of its kind from 1, `attempt` those of its kind for the same customer from 1;
    `customer_id` is the text in the path, empty if there is none.
    """

    kind: Kind
    number: int
    customer_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class FaultSettings:
    """What the faults need: the time now and the durations set in the options, all in seconds."""

    now: float
    slow_seconds: float
    throttle_seconds: float
    byte_seconds: float
    retry_after_seconds: float


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    `is_handled`: the request is processed normally first; `is_applied`: if it is an update, it is stored. `transform`
    turns the normal response into the one that is sent. Only requests of these `kinds` get the fault.
    """

    help: str
    transform: Callable[[SandboxResponse, FaultSettings], SandboxResponse]
    is_handled: bool = False
    is_applied: bool = False
    revokes_tokens: bool = False
    kinds: tuple[Kind, ...] = ("token", "write", "read", "list")


def _error(status: int, message: str) -> Callable[[SandboxResponse, FaultSettings], SandboxResponse]:
    return lambda _response, _settings: error_response(status, message)


def _unavailable(_response: SandboxResponse, settings: FaultSettings) -> SandboxResponse:
    response = error_response(503, "The service is unavailable.")
    if not settings.retry_after_seconds:
        return response
    return replace(response, headers={"Retry-After": f"{settings.retry_after_seconds:g}"})


def _throttle(status: int) -> Callable[[SandboxResponse, FaultSettings], SandboxResponse]:
    return lambda _response, settings: throttle(status, settings.now + settings.throttle_seconds)


def _hide_success(response: SandboxResponse, transformed: SandboxResponse) -> SandboxResponse:
    """Replace a 200; a refusal stays as it is."""
    return transformed if response.status == 200 else response


def _trickle(response: SandboxResponse, settings: FaultSettings) -> SandboxResponse:
    return replace(response, body=response.body.ljust(TRICKLED_BYTES), byte_seconds=settings.byte_seconds)


FAULTS: Mapping[str, Fault] = {
    "error-500": Fault("500 with a JSON message; nothing applied", _error(500, "An error has occurred.")),
    "error-502": Fault("502 with a JSON message; nothing applied", _error(502, "Bad gateway.")),
    "error-503": Fault("503, with Retry-After if --retry-after-seconds is set; nothing applied", _unavailable),
    "throttle-429": Fault("429 with RateLimitResetTime; nothing applied", _throttle(429)),
    "throttle-409": Fault("409 with RateLimitResetTime; nothing applied", _throttle(409)),
    "throttle-200": Fault("200 with RateLimitResetTime; nothing applied", _throttle(200)),
    "refused-200": Fault(
        "200 with “Success”: false; nothing applied",
        lambda _, __: answer_json({"Success": False, "Message": "The customer is locked, nothing was saved."}, 200),
    ),
    "conflict-409": Fault(
        "409 without a reset time, an ordinary refusal; nothing applied", _error(409, "The customer is locked.")
    ),
    "html-200": Fault(
        "applied, but the 200 carries an HTML page",
        lambda response, _: _hide_success(response, answer_html(200, "Sellercloud")), True, True,
    ),
    "html-502": Fault("502 with an HTML page; nothing applied", lambda _, __: answer_html(502, "502 Bad Gateway")),
    "empty-body": Fault(
        "applied, but the 200 has no body",
        lambda response, _: _hide_success(response, replace(response, body=b"")), True, True,
    ),
    "cut-before": Fault(
        "the connection is closed before anything is applied", lambda response, _: replace(response, cut="close")
    ),
    "cut-after": Fault(
        "applied, then the connection is reset without an answer", lambda response, _: replace(response, cut="reset"),
        True, True,
    ),
    "applied-500": Fault(
        "applied, but answered 500",
        lambda response, _: _hide_success(response, error_response(500, "An error has occurred.")), True, True,
    ),
    "slow": Fault(
        "applied, but the answer comes after --slow-seconds",
        lambda response, settings: replace(response, wait_seconds=settings.slow_seconds), True, True,
    ),
    "expired-token": Fault(
        "401, and all tokens issued so far are revoked; nothing applied",
        _error(401, "Authorization has been denied for this request."), revokes_tokens=True,
        kinds=("write", "read", "list"),
    ),
    "ignored-200": Fault("200, but nothing applied", lambda response, _: response, True, kinds=("write",)),
    "trickle": Fault("applied, but the body comes one byte at a time, --byte-seconds apart", _trickle, True, True),
}  # fmt: skip
"""Every fault by its name."""

FaultChoice = str | SandboxResponse | None
"""What a schedule returns: the name of a fault, its own response (then nothing is applied), or None for no fault."""

FaultSchedule = Callable[[SandboxRequest], FaultChoice]
"""Returns the fault of a request. Called from many threads, once for each request within the quota."""

FAULTS_ON: Mapping[str, tuple[Kind, ...]] = {
    "writes": ("write",),
    "reads": ("read", "list"),
    "all": ("token", "write", "read", "list"),
}
"""Which requests get faults by rate."""


class RatedFaults:
    """Faults by rate. The same seed gives the same attempts at the same customers their faults, in any order."""

    def __init__(self, rates: Mapping[str, float], seed: int, kinds: Sequence[Kind]) -> None:
        self._rates = check_rates(rates)
        self._seed = seed
        self._kinds = kinds

    def __call__(self, request: SandboxRequest) -> FaultChoice:
        """Return the fault for this request, None for none."""
        if request.kind not in self._kinds:
            return None
        draw = random.Random(f"{self._seed}:{request.kind}:{request.customer_id}:{request.attempt}").random()
        for name, rate in self._rates.items():
            draw -= rate
            if draw < 0:
                return name
        return None


class ScheduledFaults:
    """Exact faults for tests: the n-th request of a kind gets the n-th fault of its list; after its end, none.

    `customers` takes precedence: the n-th request for that customer, of any kind but the list, gets its n-th fault.
    """

    def __init__(
        self,
        *,
        writes: Sequence[FaultChoice] = (),
        reads: Sequence[FaultChoice] = (),
        lists: Sequence[FaultChoice] = (),
        tokens: Sequence[FaultChoice] = (),
        customers: Mapping[int, Sequence[FaultChoice]] | None = None,
    ) -> None:
        self._by_kind: Mapping[str, Sequence[FaultChoice]] = {
            "write": writes,
            "read": reads,
            "list": lists,
            "token": tokens,
        }
        self._by_customer = {str(customer_id): choices for customer_id, choices in (customers or {}).items()}
        for choices in (*self._by_kind.values(), *self._by_customer.values()):
            check_names(choice for choice in choices if isinstance(choice, str))

    def __call__(self, request: SandboxRequest) -> FaultChoice:
        """Return the fault for this request, None for none."""
        if request.customer_id in self._by_customer:
            choices, number = self._by_customer[request.customer_id], request.attempt
        else:
            choices, number = self._by_kind.get(request.kind, ()), request.number
        return choices[number - 1] if number <= len(choices) else None


class RequestCounter:
    """Numbers the requests for a fault schedule. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._attempts: Counter[tuple[str, str]] = Counter()

    def number(self, kind: Kind, customer_id: str) -> SandboxRequest:
        """Return the request with its numbers."""
        self._kinds[kind] += 1
        self._attempts[kind, customer_id] += 1
        return SandboxRequest(kind, self._kinds[kind], customer_id, self._attempts[kind, customer_id])


def check_names(names: Iterable[str]) -> None:
    """Raise `UsageError` for a name that is not that of a fault."""
    for name in names:
        if name not in FAULTS:
            raise UsageError(f"There is no fault {name!r}.", remedy=f"Faults: {', '.join(FAULTS)}.")


ROUNDING = 1e-9
"""Ten times 0.1 may add up to slightly more than 1."""


def check_rates(rates: Mapping[str, float]) -> dict[str, float]:
    """Return the rates. Raises `UsageError` for an unknown fault, and for rates below 0 or together above 1."""
    check_names(rates)
    if not all(0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1 + ROUNDING:
        raise UsageError("The rates of the faults must be between 0 and 1, and so must their sum.")
    return dict(rates)
