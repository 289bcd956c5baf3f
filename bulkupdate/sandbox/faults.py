"""The faults that the sandbox can inject: what each one does, and which request it hits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from bulkupdate.errors import UsageError
from bulkupdate.sandbox.responses import SandboxResponse, answer_html, answer_json, refuse, throttle

Kind = Literal["token", "write", "read", "list", "team", "other"]
"""What a request asks for: sign-in, PUT of one customer, GET of one, GET of many, a team's address, nothing known."""

TRICKLED_BYTES = 600
"""Length to which a trickled JSON body is padded with blanks, so that it lasts ten minutes at a byte a second."""


@dataclass(frozen=True, slots=True)
class SandboxRequest:
    """One request as a plan sees it.

    `number` counts the requests of its kind from 1, `attempt` those of its kind for the same customer from 1;
    `customer_id` is the text of the path, empty where there is none.
    """

    kind: Kind
    number: int
    customer_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What a fault needs to know: the time now and the lengths of time set in the options, all in seconds."""

    now: float
    slow_seconds: float
    throttle_seconds: float
    byte_seconds: float
    retry_after_seconds: float


@dataclass(frozen=True)
class Fault:
    """One kind of trouble.

    `is_handled`: the request is looked at as usual first; `is_applied`: an update among it is stored. `disguise` makes
    the answer that goes out from the one that would have. A request of a kind not in `strikes` goes unharmed.
    """

    help: str
    disguise: Callable[[SandboxResponse, Figures], SandboxResponse]
    is_handled: bool = False
    is_applied: bool = False
    ends_tokens: bool = False
    strikes: tuple[Kind, ...] = ("token", "write", "read", "list")


def _error(status: int, message: str) -> Callable[[SandboxResponse, Figures], SandboxResponse]:
    return lambda _reply, _figures: refuse(status, message)


def _unavailable(_reply: SandboxResponse, figures: Figures) -> SandboxResponse:
    reply = refuse(503, "The service is unavailable.")
    if not figures.retry_after_seconds:
        return reply
    return replace(reply, headers={"Retry-After": f"{figures.retry_after_seconds:g}"})


def _throttle(status: int) -> Callable[[SandboxResponse, Figures], SandboxResponse]:
    return lambda _reply, figures: throttle(status, figures.now + figures.throttle_seconds)


def _hide_success(reply: SandboxResponse, disguised: SandboxResponse) -> SandboxResponse:
    """Disguise a 200; a refusal stays as it is."""
    return disguised if reply.status == 200 else reply


def _trickle(reply: SandboxResponse, figures: Figures) -> SandboxResponse:
    return replace(reply, body=reply.body.ljust(TRICKLED_BYTES), byte_seconds=figures.byte_seconds)


FAULTS: Mapping[str, Fault] = {
    "error-500": Fault("500 with a JSON message; nothing applied", _error(500, "An error has occurred.")),
    "error-502": Fault("502 with a JSON message; nothing applied", _error(502, "Bad gateway.")),
    "error-503": Fault("503, with Retry-After where --retry-after-seconds is set; nothing applied", _unavailable),
    "throttle-429": Fault("429 with RateLimitResetTime; nothing applied", _throttle(429)),
    "throttle-409": Fault("409 with RateLimitResetTime; nothing applied", _throttle(409)),
    "throttle-200": Fault("200 with RateLimitResetTime; nothing applied", _throttle(200)),
    "refused-200": Fault(
        "200 with “Success”: false; nothing applied",
        lambda _reply, _: answer_json({"Success": False, "Message": "The customer is locked, nothing was saved."}, 200),
    ),
    "conflict-409": Fault(
        "409 without a reset time, an ordinary refusal; nothing applied", _error(409, "The customer is locked.")
    ),
    "html-200": Fault(
        "applied, but the 200 carries an HTML page",
        lambda reply, _: _hide_success(reply, answer_html(200, "Sellercloud")), True, True,
    ),
    "html-502": Fault("502 with an HTML page; nothing applied", lambda _reply, _: answer_html(502, "502 Bad Gateway")),
    "empty-body": Fault(
        "applied, but the 200 has no body", lambda reply, _: _hide_success(reply, replace(reply, body=b"")), True, True
    ),
    "cut-before": Fault(
        "the connection is closed before anything is applied", lambda reply, _: replace(reply, cut="close")
    ),
    "cut-after": Fault(
        "applied, then the connection is reset without an answer", lambda reply, _: replace(reply, cut="reset"),
        True, True,
    ),
    "applied-500": Fault(
        "applied, but answered 500",
        lambda reply, _: _hide_success(reply, refuse(500, "An error has occurred.")), True, True,
    ),
    "slow": Fault(
        "applied, but the answer comes after --slow-seconds",
        lambda reply, figures: replace(reply, wait_seconds=figures.slow_seconds), True, True,
    ),
    "expired-token": Fault(
        "401, and all tokens given out so far are void; nothing applied",
        _error(401, "Authorization has been denied for this request."), ends_tokens=True,
        strikes=("write", "read", "list"),
    ),
    "ignored-200": Fault("200, but nothing applied", lambda reply, _: reply, True, strikes=("write",)),
    "trickle": Fault("applied, but the body comes one byte each --byte-seconds", _trickle, True, True),
}  # fmt: skip
"""Every fault by its name."""

Trouble = str | SandboxResponse | None
"""What a plan chooses: the name of a fault, an answer of its own (then nothing is applied), or None for no trouble."""

FaultSchedule = Callable[[SandboxRequest], Trouble]
"""Which trouble strikes a request. Called from many threads, once for each request that the quota lets through."""

FAULTS_ON: Mapping[str, tuple[Kind, ...]] = {
    "writes": ("write",),
    "reads": ("read", "list"),
    "all": ("token", "write", "read", "list"),
}
"""Which requests faults by rate strike."""


class RatedFaults:
    """Faults by rate. The same seed strikes the same attempts at the same customers, in whatever order."""

    def __init__(self, rates: Mapping[str, float], seed: int, kinds: Sequence[Kind]) -> None:
        self._rates = check_rates(rates)
        self._seed = seed
        self._kinds = kinds

    def __call__(self, call: SandboxRequest) -> Trouble:
        """Return the fault for this call, None for none."""
        if call.kind not in self._kinds:
            return None
        draw = random.Random(f"{self._seed}:{call.kind}:{call.customer_id}:{call.attempt}").random()
        for name, rate in self._rates.items():
            draw -= rate
            if draw < 0:
                return name
        return None


class ScheduledFaults:
    """Exact faults for tests: the n-th request of a kind meets the n-th trouble of its list; after its end, none.

    `customers` goes first: the n-th request of any kind but the list for that customer meets its n-th trouble.
    """

    def __init__(
        self,
        *,
        writes: Sequence[Trouble] = (),
        reads: Sequence[Trouble] = (),
        lists: Sequence[Trouble] = (),
        tokens: Sequence[Trouble] = (),
        customers: Mapping[int, Sequence[Trouble]] | None = None,
    ) -> None:
        self._by_kind: Mapping[str, Sequence[Trouble]] = {
            "write": writes,
            "read": reads,
            "list": lists,
            "token": tokens,
        }
        self._by_customer = {str(customer_id): troubles for customer_id, troubles in (customers or {}).items()}
        for troubles in (*self._by_kind.values(), *self._by_customer.values()):
            check_names(each for each in troubles if isinstance(each, str))

    def __call__(self, call: SandboxRequest) -> Trouble:
        """Return the trouble for this call, None for none."""
        if call.customer_id in self._by_customer:
            troubles, place = self._by_customer[call.customer_id], call.attempt
        else:
            troubles, place = self._by_kind.get(call.kind, ()), call.number
        return troubles[place - 1] if place <= len(troubles) else None


class CallCounter:
    """Numbers the calls for a plan. Not thread-safe: its owner holds a lock."""

    def __init__(self) -> None:
        self._kinds: Counter[str] = Counter()
        self._attempts: Counter[tuple[str, str]] = Counter()

    def number(self, kind: Kind, customer_id: str) -> SandboxRequest:
        """Return the call with its numbers."""
        self._kinds[kind] += 1
        self._attempts[kind, customer_id] += 1
        return SandboxRequest(kind, self._kinds[kind], customer_id, self._attempts[kind, customer_id])


def check_names(names: Iterable[str]) -> None:
    """Raise `UsageError` for a name that is no fault's."""
    for name in names:
        if name not in FAULTS:
            raise UsageError(f"There is no fault {name!r}.", remedy=f"Faults: {', '.join(FAULTS)}.")


ROUNDING = 1e-9
"""Ten times 0.1 may add up to a little more than 1."""


def check_rates(rates: Mapping[str, float]) -> dict[str, float]:
    """Return the rates as given. Raises `UsageError` for an unknown fault, or rates below 0 or together above 1."""
    check_names(rates)
    if not all(0 <= rate <= 1 for rate in rates.values()) or sum(rates.values()) > 1 + ROUNDING:
        raise UsageError("The rates of the faults lie between 0 and 1, all together too.")
    return dict(rates)


def parse_rates(texts: Sequence[str]) -> dict[str, float]:
    """`["error-500=0.05", "slow=0.01"]` as rates. Raises `UsageError` naming the text that is none."""
    rates: dict[str, float] = {}
    for text in texts:
        name, _, rate = text.partition("=")
        try:
            rates[name.strip()] = float(rate)
        except ValueError:
            raise UsageError(f"{text!r} is no fault and rate.", remedy="Write it as error-500=0.05.") from None
    return check_rates(rates)
