"""The options of the sandbox; its command line is made from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from bulkupdate.errors import UsageError
from bulkupdate.sandbox.faults import FAULTS, FAULTS_ON, check_rates

_LARGEST = 10**15
_LONGEST = 1e9
"""Numbers beyond these are none that a customer, a count or a wait in seconds can be."""


def _option(default: Any, help_text: str, *, least: float | None = None, choices: tuple[Any, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help_text, "least": least, "choices": choices})


def _unknown(default: Any, help_text: str, *, choices: tuple[Any, ...] = ()) -> Any:
    """Return an option for what nobody outside the vendor knows; its help says so."""
    return _option(default, f"{help_text} (not known of the real service)", choices=choices)


@dataclass(frozen=True)
class SandboxOptions:
    """All options of one sandbox. `metadata` of a field has its `help`, its `choices` and the `least` value.

    Raises `UsageError` for a value outside of them.
    """

    customers: int = _option(200, "customers it holds, made as they are asked for", least=0)
    first_customer_id: int = _option(100_001, "id of the first customer; the others follow", least=1)
    seed: int = _option(1, "the same seed makes the same customers")
    username: str = _option("sandbox", "login name it accepts; several, separated by commas, share the password")
    password: str = field(
        default="sandbox", repr=False, metadata={"help": "password it accepts", "least": None, "choices": ()}
    )
    team: str = _option("sandbox", "team name it knows")
    token_seconds: int = _option(3600, "life of a token in seconds", least=0)
    requests_per_hour: int = _option(
        10_800, "requests allowed in one window, all endpoints together; 0 = no limit", least=0
    )
    window_seconds: float = _option(
        3600.0, "length of that window in seconds, for tests in less than an hour", least=0.001
    )
    window: str = _unknown(
        "rolling",
        "rolling: any window of that length; fixed: it starts anew at each multiple of it since 1970",
        choices=("rolling", "fixed"),
    )
    throttle_status: int = _unknown(409, "status of an answer over the quota", choices=(409, 429))
    latency_seconds: float = _option(0.0, "seconds that each answer takes", least=0)
    page_size_cap: int = _option(50, "most customers on a page of the list, whatever is asked for", least=1)
    rating_format: str = _unknown(
        "both", "whether a PUT takes a rating by name or by code", choices=("name", "code", "both")
    )
    unknown_customer_status: int = _unknown(
        404, "status for an id that does not exist; its message says “not found”", choices=(404, 400, 500)
    )
    sign_in_refusal_status: int = _unknown(400, "status for a wrong login", choices=(400, 401))
    empty_string: str = _unknown("clears", 'what "" does to a text field', choices=("clears", "ignored"))
    aliases: str = _unknown(
        "replace",
        "whether BusinessAliases replace those stored (an empty list clears) or are added to them",
        choices=("replace", "append"),
    )
    list_filter: bool = _unknown(True, "whether the list keeps to model.customerIds, or gives all customers")
    wholesale_needs_business_name: bool = _option(
        False, "the client setting “Enable Required Fields for WholeSale Customers”"
    )
    faults: Mapping[str, float] = field(
        default_factory=dict,
        metadata={"help": f"trouble by rate, as in error-500=0.05: {', '.join(FAULTS)}", "least": None, "choices": ()},
    )
    fault_seed: int = _option(1, "the same seed makes the same trouble")
    faults_on: str = _option("writes", "which requests meet faults by rate", choices=tuple(FAULTS_ON))
    slow_seconds: float = _option(60.0, "how long a slow answer takes", least=0)
    throttle_seconds: float = _option(2.0, "how far ahead the reset time of a throttle fault lies; may be below 0")
    byte_seconds: float = _option(1.0, "seconds between two bytes of a trickled answer", least=0)
    retry_after_seconds: float = _option(0.0, "Retry-After of an error-503 fault; 0 = none", least=0)
    kept_requests: int = _option(100_000, "requests kept in the log, the oldest are dropped; counts go on", least=0)

    def __post_init__(self) -> None:
        for each in fields(self):
            _check(each, getattr(self, each.name))
        check_rates(self.faults)


def _check(option: Field[Any], value: Any) -> None:
    choices, least = option.metadata["choices"], option.metadata["least"]
    if choices and value not in choices:
        raise UsageError(f"{option.name} is {value!r}; it must be one of: {', '.join(map(str, choices))}.")
    if isinstance(value, int | float) and not abs(value) <= (_LONGEST if isinstance(value, float) else _LARGEST):
        raise UsageError(f"{option.name} is {value!r}; that is too large.")
    if least is not None and not value >= least:
        raise UsageError(f"{option.name} is {value!r}; it must be at least {least}.")
