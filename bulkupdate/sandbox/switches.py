"""The options of the sandbox, from which its command line is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any

from bulkupdate.errors import UsageError
from bulkupdate.sandbox.faults import FAULTS, FAULTS_ON, check_rates

_LARGEST = 10**15
_LONGEST = 1e9
"""The largest id or count, and the longest time in seconds."""


def _option(default: Any, help_text: str, *, least: float | None = None, choices: tuple[Any, ...] = ()) -> Any:
    return field(default=default, metadata={"help": help_text, "least": least, "choices": choices})


def _unknown(default: Any, help_text: str, *, choices: tuple[Any, ...] = ()) -> Any:
    """Return an option for something unknown about the real service; its help says so."""
    return _option(default, f"{help_text} (not known of the real service)", choices=choices)


@dataclass(frozen=True)
class SandboxOptions:
    """All options of one sandbox. The `metadata` of a field has its `help`, its `choices` and its `least` value.

    Raises `UsageError` for any other value.
    """

    customers: int = _option(200, "number of customers, generated when they are requested", least=0)
    first_customer_id: int = _option(100_001, "id of the first customer; the others follow", least=1)
    seed: int = _option(1, "the same seed generates the same customers")
    username: str = _option("sandbox", "accepted login name; several, separated by commas, share the password")
    password: str = field(
        default="sandbox", repr=False, metadata={"help": "accepted password", "least": None, "choices": ()}
    )
    team: str = _option("sandbox", "name of its team")
    token_seconds: int = _option(3600, "life of a token in seconds", least=0)
    requests_per_hour: int = _option(
        10_800, "requests allowed in one window, all endpoints together; 0 = no limit", least=0
    )
    window_seconds: float = _option(
        3600.0, "length of that window in seconds, for tests in less than an hour", least=0.001
    )
    window: str = _unknown(
        "rolling",
        "rolling: any period of that length; fixed: periods that start at multiples of it since 1970",
        choices=("rolling", "fixed"),
    )
    throttle_status: int = _unknown(409, "status of a throttle answer", choices=(409, 429))
    latency_seconds: float = _option(0.0, "seconds that each response takes", least=0)
    page_size_cap: int = _option(50, "largest page of the list, whatever page size is requested", least=1)
    rating_format: str = _unknown(
        "both", "whether a PUT accepts a rating by name or by code", choices=("name", "code", "both")
    )
    unknown_customer_status: int = _unknown(
        404, "status for an id that does not exist; its message says “not found”", choices=(404, 400, 500)
    )
    sign_in_refusal_status: int = _unknown(400, "status for a wrong login", choices=(400, 401))
    empty_string: str = _unknown("clears", 'what "" does to a text field', choices=("clears", "ignored"))
    aliases: str = _unknown(
        "replace",
        "whether BusinessAliases replace the stored ones (an empty list clears) or are added to them",
        choices=("replace", "append"),
    )
    list_filter: bool = _unknown(True, "whether the list filters by model.customerIds, or returns all customers")
    email_filter: str = _unknown(
        "exact", "how the list filters by model.email, without regard to case", choices=("exact", "contains", "ignored")
    )
    phone_filter: str = _unknown(
        "contains", "how the list filters by model.phoneNumber, by digits", choices=("exact", "contains", "ignored")
    )
    repeat_last_page: bool = _unknown(False, "whether a page past the end of the list is the last one again")
    total_results: str = _unknown(
        "right",
        "TotalResults of the list: right, half or twice the number, that of the page, or missing",
        choices=("right", "half", "twice", "page", "missing"),
    )
    shared_emails: float = _option(0.0, "share of the customers that have the e-mail of the one before them", least=0)
    changing_emails: float = _option(
        0.0, "share of the customers whose e-mail changes once the list has shown them", least=0
    )
    wholesale_needs_business_name: bool = _option(
        False, "the client setting “Enable Required Fields for WholeSale Customers”"
    )
    faults: Mapping[str, float] = field(
        default_factory=dict,
        metadata={"help": f"faults by rate, such as error-500=0.05: {', '.join(FAULTS)}", "least": None, "choices": ()},
    )
    fault_seed: int = _option(1, "the same seed makes the same faults")
    faults_on: str = _option("writes", "which requests get faults by rate", choices=tuple(FAULTS_ON))
    slow_seconds: float = _option(60.0, "how long a slow response takes", least=0)
    throttle_seconds: float = _option(2.0, "how far ahead the reset time of a throttle fault is; may be negative")
    byte_seconds: float = _option(1.0, "seconds between two bytes of a trickled response", least=0)
    retry_after_seconds: float = _option(0.0, "Retry-After of an error-503 fault; 0 = none", least=0)
    kept_requests: int = _option(100_000, "requests kept in the log; the oldest are dropped, but stay counted", least=0)

    def __post_init__(self) -> None:
        for option in fields(self):
            _check(option, getattr(self, option.name))
        check_rates(self.faults)


def _check(option: Field[Any], value: Any) -> None:
    choices, least = option.metadata["choices"], option.metadata["least"]
    if choices and value not in choices:
        raise UsageError(f"{option.name} is {value!r}; it must be one of: {', '.join(map(str, choices))}.")
    if isinstance(value, int | float) and not abs(value) <= (_LONGEST if isinstance(value, float) else _LARGEST):
        raise UsageError(f"{option.name} is {value!r}; that is too large.")
    if least is not None and not value >= least:
        raise UsageError(f"{option.name} is {value!r}; it must be at least {least}.")
