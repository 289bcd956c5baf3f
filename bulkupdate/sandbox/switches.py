"""The options of the sandbox, from which its command line is built."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from enum import StrEnum
from typing import Any

from bulkupdate.errors import UsageError
from bulkupdate.sandbox.faults import FAULTS, FAULTS_ON, check_rates

_LARGEST = 10**15
_LONGEST = 1e9
"""The largest id or count, and the longest time in seconds."""


class SwitchGroup(StrEnum):
    """What an option is about, as a heading of the help."""

    CUSTOMERS = "Customers"
    ACCESS = "Login, quota and speed"
    UNKNOWN = "Unknown about the real service"
    FAULTS = "Faults"


def _option(
    section: SwitchGroup, default: Any, help_text: str, *, least: float | None = None, choices: tuple[Any, ...] = ()
) -> Any:
    return field(default=default, metadata={"section": section, "help": help_text, "least": least, "choices": choices})


_CUSTOMERS, _ACCESS, _UNKNOWN, _FAULTS = SwitchGroup


@dataclass(frozen=True)
class SandboxOptions:
    """All options of one sandbox. The `metadata` of a field has its `help`, its `choices` and its `least` value.

    Raises `UsageError` for any other value.
    """

    customers: int = _option(_CUSTOMERS, 200, "Number of customers.", least=0)
    first_customer_id: int = _option(_CUSTOMERS, 100_001, "Id of the first customer; the others follow.", least=1)
    seed: int = _option(_CUSTOMERS, 1, "Another seed generates other customers.")
    shared_emails: float = _option(
        _CUSTOMERS, 0.0, "Share of the customers that have the e-mail of the one before them, such as 0.1.", least=0
    )
    changing_emails: float = _option(
        _CUSTOMERS, 0.0, "Share of the customers whose e-mail changes once a list has shown it, such as 0.1.", least=0
    )
    username: str = _option(_ACCESS, "sandbox", "Login name; several, separated by commas, share the password.")
    password: str = field(
        default="sandbox",
        repr=False,
        metadata={"section": _ACCESS, "help": "Password of that login.", "least": None, "choices": ()},
    )
    team: str = _option(_ACCESS, "sandbox", "Team name.")
    token_seconds: int = _option(_ACCESS, 3600, "Lifetime of a token.", least=0)
    requests_per_hour: int = _option(
        _ACCESS, 10_800, "Requests allowed in one window, all endpoints together; 0: no limit.", least=0
    )
    window_seconds: float = _option(
        _ACCESS, 3600.0, "Length of that window: shorter for tests in less than an hour.", least=0.001
    )
    latency_seconds: float = _option(_ACCESS, 0.0, "Time that each response takes.", least=0)
    build_date: str = _option(_ACCESS, "2026-01-05T04:30:00", "Date of the server's build.")
    page_size_cap: int = _option(_ACCESS, 50, "Customers on one page of a list at most.", least=1)
    wholesale_needs_business_name: bool = _option(
        _ACCESS, False, "The client setting “Enable Required Fields for WholeSale Customers”."
    )
    kept_requests: int = _option(
        _ACCESS, 100_000, "Requests kept in the log; the oldest are dropped, but stay counted.", least=0
    )
    window: str = _option(
        _UNKNOWN,
        "rolling",
        "Window of the quota; rolling: any period of its length; fixed: periods that start at multiples of it.",
        choices=("rolling", "fixed"),
    )
    throttle_status: int = _option(_UNKNOWN, 409, "Status of a throttle answer.", choices=(409, 429))
    rating_format: str = _option(
        _UNKNOWN, "both", "Whether a PUT accepts a rating by name or by code.", choices=("name", "code", "both")
    )
    unknown_customer_status: int = _option(
        _UNKNOWN, 404, "Status for an id that does not exist; its message says “not found”.", choices=(404, 400, 500)
    )
    sign_in_refusal_status: int = _option(_UNKNOWN, 400, "Status for a wrong login.", choices=(400, 401))
    empty_string: str = _option(_UNKNOWN, "clears", 'What "" does to a text field.', choices=("clears", "ignored"))
    null_value: str = _option(_UNKNOWN, "ignored", "What null does to a text field.", choices=("ignored", "clears"))
    unknown_name: str = _option(
        _UNKNOWN, "ignored", "What becomes of a PUT with a name that is not that of a field.",
        choices=("ignored", "refused"),
    )  # fmt: skip
    aliases: str = _option(
        _UNKNOWN,
        "replace",
        "Whether BusinessAliases replace the stored ones (an empty list clears) or are added to them.",
        choices=("replace", "append"),
    )
    swagger: bool = _option(_UNKNOWN, True, "Whether the service describes its API at /rest/swagger/docs/v1.")
    list_filter: bool = _option(
        _UNKNOWN, True, "Whether the list filters by model.customerIds, or returns all customers."
    )
    modified_filter: bool = _option(_UNKNOWN, True, "Whether the list filters by model.modifiedOnFrom.")
    email_filter: str = _option(
        _UNKNOWN,
        "exact",
        "How the list filters by model.email; case: exact with regard to case, which the others do not have.",
        choices=("exact", "case", "contains", "ignored"),
    )
    phone_filter: str = _option(
        _UNKNOWN,
        "contains",
        "How the list filters by model.phoneNumber, by digits.",
        choices=("exact", "contains", "ignored"),
    )
    repeat_last_page: bool = _option(_UNKNOWN, False, "Whether a page past the end of the list is the last one again.")
    total_results: str = _option(
        _UNKNOWN,
        "right",
        "TotalResults of the list: right, half or twice the number, that of the page, or missing.",
        choices=("right", "half", "twice", "page", "missing"),
    )
    kept_back: str = _option(
        _UNKNOWN,
        "nothing",
        "What the list keeps back, though it counts it: the customers of its second page, that page's Items, the last "
        "customer of each answer, or the UserID of that one.",
        choices=("nothing", "page", "items", "customer", "id"),
    )
    faults: Mapping[str, float] = field(
        default_factory=dict,
        metadata={
            "section": _FAULTS,
            "help": f"How often a fault happens, such as error-500=0.05: {', '.join(FAULTS)}. May be repeated.",
            "least": None,
            "choices": (),
        },
    )
    fault_seed: int = _option(_FAULTS, 1, "Another seed puts the faults at other requests.")
    faults_on: str = _option(_FAULTS, "writes", "Which requests have faults.", choices=tuple(FAULTS_ON))
    slow_seconds: float = _option(_FAULTS, 60.0, "Time that the response of the fault slow takes.", least=0)
    throttle_seconds: float = _option(
        _FAULTS, 2.0, "Time until the reset that a throttle fault names; may be negative."
    )
    byte_seconds: float = _option(_FAULTS, 1.0, "Time between two bytes of the fault trickle.", least=0)
    retry_after_seconds: float = _option(_FAULTS, 0.0, "Retry-After of the fault error-503; 0: none.", least=0)

    def __post_init__(self) -> None:
        for option in fields(self):
            _check(option, getattr(self, option.name))
        check_rates(self.faults)


def _check(option: Field[Any], value: Any) -> None:
    choices, least = option.metadata["choices"], option.metadata["least"]
    name = f"--{option.name.replace('_', '-')}"
    if choices and value not in choices:
        raise UsageError(f"{name} is {value!r}; it must be one of: {', '.join(map(str, choices))}.")
    if isinstance(value, int | float) and not abs(value) <= (_LONGEST if isinstance(value, float) else _LARGEST):
        raise UsageError(f"{name} is {value!r}; that is too large.")
    if least is not None and not value >= least:
        raise UsageError(f"{name} is {value!r}; it must be at least {least}.")
