"""The customer of a probe: as before, as read last, and put back without touching what others have changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bulkupdate.customers.parse_result import Value
from bulkupdate.customers.payload import LiveCustomer, encode_body, flatten_customer
from bulkupdate.errors import StoppedError
from bulkupdate.runs.tenant.answers import Questioner, read_object
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.runs.tenant.probe_run import RESTORE
from bulkupdate.runs.tenant.probe_traces import ALIASES_FIELD, list_others_changes, list_own_changes
from bulkupdate.sellercloud.single_request import RequestResult

_ATTEMPTS = 3


@dataclass
class ProbedCustomer:
    """One customer. `before` are all its fields before the first update, `now` those read last, None: not known.

    `written` are the values that the probe may send to each field.
    """

    questioner: Questioner
    customer_id: str
    before: LiveCustomer
    now: LiveCustomer | None = field(init=False)
    written: Mapping[str, Sequence[Value]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = self.before

    @property
    def is_as_before(self) -> bool:
        """Whether all fields were as before when they were read last."""
        return self.now == self.before

    def send(self, question: str, body: str) -> RequestResult:
        """Update the customer once. Raises what `send_once` raises."""
        url = f"{self.questioner.client.base_url}/Customers/{self.customer_id}"
        return self.questioner.send(question, "PUT", url, body)

    def read(self) -> LiveCustomer | None:
        """Read the customer once; None if the answer is not that customer."""
        self.now = read_customer(self.questioner, self.customer_id)
        return self.now

    def put_back(self, facts: Facts, wait: Callable[[], None]) -> None:
        """Send what differs now from before, and read it back; `wait` between attempts.

        What others have changed is left as it is. Raises `StoppedError` with the remedy `RESTORE` if the customer is
        still different.
        """
        can_be_repeated = facts.get("aliases") != "append" or ALIASES_FIELD not in self._own()
        for attempt in range(_ATTEMPTS if can_be_repeated else 1):
            values = self._own()
            if self.is_as_before or (self.now is not None and not values):
                break
            if attempt:
                wait()
            if values:
                self.send("put back", encode_body(values, _rating_format(facts)))
            self.read()
        if not self.is_as_before:
            raise StoppedError(
                f"Customer {self.customer_id} is not as before: {self._describe_difference()}.", remedy=RESTORE
            )

    def list_others(self) -> list[str]:
        """Return the fields that differ from before, but not through the probe; none if it could not be read."""
        return list_others_changes(self.before, self.now or self.before, self._own())

    def _own(self) -> dict[str, Value]:
        """Return the previous values of what the probe has changed; nothing if the customer could not be read."""
        return {} if self.now is None else list_own_changes(self.before, self.now, self.written)

    def _describe_difference(self) -> str:
        if self.now is None:
            return "it could not be read"
        parts = {
            "could not be put back": list(self._own()),
            "changed meanwhile, but not through the probe, and is left as it is": self.list_others(),
        }
        return "; ".join(f"{', '.join(names)} {what}" for what, names in parts.items() if names)


def _rating_format(facts: Facts) -> str:
    return "code" if facts.get("rating_format") in ("code", "both") else "name"


def read_customer(questioner: Questioner, customer_id: str) -> LiveCustomer | None:
    """Return the fields of the customer, read once; None if the answer is not that customer."""
    url = f"{questioner.client.base_url}/Customers/{customer_id}"
    body = read_object(questioner.send("customer", "GET", url))
    general = (body or {}).get("General")
    if body is None or not isinstance(general, dict) or str(general.get("ID")) != customer_id:
        return None
    return flatten_customer(body)
