"""`doctor --probe`: settle on one customer what only updates can show, and put that customer back."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field

from bulkupdate.clock import format_utc
from bulkupdate.customers.models import Status
from bulkupdate.errors import BusyError, InterruptedRunError, ServiceDownError, StoppedError
from bulkupdate.runs.context import RunContext
from bulkupdate.runs.live.modified_customers import MARGIN_SECONDS
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import PendingRow, RowOutcome, Run, RunState
from bulkupdate.runs.tenant.answers import read_id, read_items
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.runs.tenant.probe_run import FIRST_ROW, RESTORE, create_probe_run, require_idle
from bulkupdate.runs.tenant.probe_steps import ProbeStep, StepResult, list_steps
from bulkupdate.runs.tenant.probe_traces import list_written
from bulkupdate.runs.tenant.probed_customer import ProbedCustomer
from bulkupdate.runs.tenant.reading import ask_build_date
from bulkupdate.sellercloud.response import Verdict
from bulkupdate.sellercloud.single_request import RequestResult

MOST_REQUESTS = 40
SIGN_IN, ALIASES = "sign-in", "aliases"
ON_REQUEST = (SIGN_IN, ALIASES)

_WAIT_SECONDS = 2.0
_REQUESTS_OF_A_STEP = 5
_MOST_FAILURES = 3
_UNKNOWN_ID = 2_147_483_647
_BAD_TOKEN = "bulkupdate-probe-no-token"  # noqa: S105 - not a secret


@dataclass
class Probe:
    """A probe of one customer, which was read just now.

    `calls_before` are the client's requests that are not the probe's.
    """

    context: RunContext
    customer: ProbedCustomer
    also: Collection[str] = ()
    facts: Facts = field(default_factory=dict)
    failures: int = 0
    run_id: str = ""
    calls_before: int = 0

    @property
    def steps(self) -> list[ProbeStep]:
        """The updates, some of which may turn out not to be needed. Raises `UsageError` if it cannot be probed."""
        return list(list_steps(self.customer.before, aliases=ALIASES in self.also))

    def run(self) -> bool:
        """Make the probe; return whether every step had an answer. The customer is then as before.

        Raises `BusyError` while a run of this service is being sent, `JournalError` and, with the run stopped,
        `StoppedError` or `InterruptedRunError`: the customer may then have to be restored.
        """
        journal, steps = self.context.journal, self.steps
        require_idle(journal, self.context.host)
        self.customer.written = list_written(step.values for step in steps)
        run = create_probe_run(self.context, self.customer.customer_id, self.customer.before, steps)
        self.run_id = run.id
        with lock_run(journal, run.id):
            journal.set_state(run, RunState.RUNNING)
            try:  # any run that begins from now on sees this one
                require_idle(journal, self.context.host, run)
            except BusyError as error:
                journal.set_state(run, RunState.FINISHED, stopped_by=str(error))
                raise
            return self._run_steps(run, steps)

    def _run_steps(self, run: Run, steps: list[ProbeStep]) -> bool:
        journal, stopped_by = self.context.journal, "the program itself failed"
        state = RunState.STOPPED
        try:
            self._ask_without_update()
            for number, step in enumerate(steps, FIRST_ROW):
                self._run_step(run, number, step)
            self._ask_afterwards()
            if self.failures:  # an update that was not answered may be applied later
                self._wait()
                self.customer.read()
            self._put_back()
            state, stopped_by = RunState.FINISHED, ""
        except (StoppedError, InterruptedRunError) as error:
            stopped_by = str(error)
            if self._put_back_after(error):
                state = RunState.FINISHED
            raise
        finally:
            journal.set_state(run, state, stopped_by=stopped_by, calls=self.context.client.calls)
        return not self.failures

    def _run_step(self, run: Run, number: int, step: ProbeStep) -> None:
        journal = self.context.journal
        if not step.is_needed(self.facts) or not self._has_requests(_REQUESTS_OF_A_STEP):
            outcome = RowOutcome(number, Status.UNCHANGED, None, 0, "not needed", "", may_be_applied=False)
            journal.record(run, outcomes=[outcome])
            return
        row = PendingRow(number, self.customer.customer_id, step.body, tuple(step.values))
        journal.record(run, intents=[row], calls=self.context.client.calls)
        result = self._send(step)
        if step.values and self.customer.list_others():
            self._put_back()  # raises
        self._conclude(step, result)
        if not (step.keeps and result.is_conclusive):
            self._put_back()
        message = f"answered {result.answer.description}"
        now = format_utc(self.context.client.pipeline.service_time(self.context.clock.now()))
        outcome = RowOutcome(number, Status.UNCHANGED, result.answer.status, 1, message, now)
        journal.record(run, outcomes=[outcome], calls=self.context.client.calls)

    def _conclude(self, step: ProbeStep, result: StepResult) -> None:
        """Keep what the step shows. Raises `StoppedError` if updates fail, or are refused whatever they say."""
        if result.is_conclusive:
            self._keep(step.conclude(result))
        else:
            self.failures += 1
        if self.failures == _MOST_FAILURES:
            raise ServiceDownError(
                f"{self.failures} steps of the probe had no clear answer, the last one: {result.answer.description}.",
                remedy="Probe again when the service is back.",
            )
        if self.facts.get("equal_value") == "refused":
            raise StoppedError(
                f"The service refuses to update this customer, even to what it has: {result.answer.description}.",
                remedy="Choose another customer, or check the rights of the login.",
            )

    def _send(self, step: ProbeStep) -> StepResult:
        before = self.customer.now or self.customer.before
        answer = self.customer.send(step.name, step.body)
        at_once = self.customer.read()
        refused = answer.response is not None and answer.response.verdict is Verdict.REFUSED
        if refused and at_once == before:
            return StepResult(answer, before, at_once, at_once)
        self._wait()
        return StepResult(answer, before, at_once, self.customer.read())

    def _ask_without_update(self) -> None:
        """Ask what touches no customer: an update without fields, of an id that does not exist, creates nothing."""
        ask, client = self.customer.questioner, self.context.client
        if not self.calls_before:  # else it was just read
            self._keep(ask_build_date(ask))
        if SIGN_IN in self.also:
            login = {"Username": f"bulkupdate-probe-{secrets.token_hex(4)}", "Password": secrets.token_hex(8)}
            answer = ask.send("made-up login", "POST", f"{client.base_url}/token", json.dumps(login))
            self._keep_status("sign_in_refusal_status", answer)
        url = f"{client.base_url}/Customers/{_UNKNOWN_ID}"
        self._keep_status("unknown_customer_status", ask.send("unknown customer", "PUT", url, "{}"))

    def _ask_afterwards(self) -> None:
        """Ask whether the updates show up in the list, and what a bad token is answered."""
        ask, client, customer_id = self.customer.questioner, self.context.client, self.customer.customer_id
        if self._has_requests(1):
            since = client.pipeline.service_time(self.context.clock.now()) - MARGIN_SECONDS
            query = {"customerIds": customer_id, "modifiedOnFrom": format_utc(since)}
            items = read_items(ask.get("modified", "Customers", query))
            is_shown = any(read_id(item) == customer_id for item in items or ())
            kept_back = self.context.journal.find_facts(self.context.host).get("kept_back")
            if items is not None and (is_shown or kept_back is None or kept_back.value != "customer"):
                self._keep({"modified_shows": is_shown})
        if self._has_requests(1):
            url = f"{client.base_url}/Customers/{customer_id}"
            self._keep_status("bad_token_status", ask.send("bad token", "GET", url, token=_BAD_TOKEN))

    def _put_back(self) -> None:
        self.customer.put_back(self.facts, self._wait)

    def _put_back_after(self, error: StoppedError | InterruptedRunError) -> bool:
        """Try to put the customer back after what has stopped the probe; return whether it is as before."""
        if error.remedy == RESTORE:  # that was tried just now
            return False
        self.context.stop.clear()  # a second Ctrl-C ends the process at once
        try:
            self.customer.read()
            self._put_back()
        except (StoppedError, InterruptedRunError):
            error.remedy = f"{error.remedy or ''} {RESTORE}".strip()
            return False
        error.remedy = f"{error.remedy or ''} The customer is as before.".strip()
        return True

    def _wait(self) -> None:
        if self.context.clock.wait(_WAIT_SECONDS, self.context.stop):
            raise InterruptedRunError("The probe was stopped.")

    def _keep(self, facts: Facts) -> None:
        """Keep what is known at once: putting back after a kill depends on how a rating is sent."""
        self.facts |= facts
        self.context.journal.keep_facts(self.context.host, facts, format_utc(self.context.clock.now()))

    def _keep_status(self, name: str, answer: RequestResult) -> None:
        """Keep the status of a refusal; any other, such as a 502, says nothing, but for a 500 that names its reason."""
        response = answer.response
        if response is not None and response.verdict in (Verdict.REFUSED, Verdict.UNAUTHORIZED, Verdict.ACCEPTED):
            self._keep({name: response.status})

    def _has_requests(self, count: int) -> bool:
        return self.context.client.calls - self.calls_before + count <= MOST_REQUESTS
