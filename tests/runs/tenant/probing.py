"""Facts and probe in the test's own process, without waiting, and what they leave behind."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from bulkupdate.clock import Clock
from bulkupdate.redaction import Secret
from bulkupdate.runs.context import open_context
from bulkupdate.runs.run_lock import lock_run
from bulkupdate.runs.run_records import PendingRow, RunState
from bulkupdate.runs.tenant.answers import Questioner
from bulkupdate.runs.tenant.facts import Facts
from bulkupdate.runs.tenant.probe import ON_REQUEST, Probe
from bulkupdate.runs.tenant.probe_run import FIRST_ROW, create_probe_run
from bulkupdate.runs.tenant.probe_steps import TEXT_FIELDS, list_steps
from bulkupdate.runs.tenant.probed_customer import ProbedCustomer, read_customer
from bulkupdate.runs.tenant.profile_store import find_profile
from bulkupdate.runs.tenant.reading import read_facts
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.settings import Settings
from tests.postgres import database_of


class HurriedClock(Clock):
    """Waits are over at once, unless the run is to stop; this many seconds ahead of the service's."""

    def __init__(self, ahead_seconds: float = 0.0) -> None:
        self._ahead_seconds = ahead_seconds

    def now(self) -> float:
        return super().now() + self._ahead_seconds

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        return stop.is_set()


def find_probeable(sandbox: Sandbox, *names: str) -> str:
    """The first customer with two aliases, a text to change (in one of these fields), and a business name."""
    for customer_id in sandbox.service.registry.ids:
        customer = sandbox.customer(customer_id) or {}
        aliases = customer["BusinessAliases"]
        if isinstance(aliases, list) and len(aliases) > 1 and any(customer[name] for name in names or TEXT_FIELDS):
            return str(customer_id)
    raise AssertionError("the sandbox has no such customer")


def make_settings(sandbox: Sandbox, folder: Path) -> Settings:
    return Settings(
        base_url=sandbox.base_url, username="sandbox", password=Secret("sandbox"), state_dir=folder / "state",
        requests_per_hour=0, timeout=2, database=database_of(folder / "state"),
    )  # fmt: skip


@contextmanager
def hold_probe(sandbox: Sandbox, folder: Path, *sent: str) -> Iterator[str]:
    """A probe that is at work, as another process would see it, then stopped; these steps were sent. Yield the id."""
    with open_context(make_settings(sandbox, folder), HurriedClock(), threading.Event()) as context:
        journal, customer_id = context.journal, find_probeable(sandbox, "Comments")
        customer = read_customer(Questioner(context.client), customer_id)
        assert customer is not None
        steps = list(list_steps(customer, aliases=False))
        run = create_probe_run(context, customer_id, customer, steps)
        rows = [
            PendingRow(number, customer_id, step.body, tuple(step.values))
            for number, step in enumerate(steps, FIRST_ROW)
            if step.name in sent
        ]
        with lock_run(journal, run.id):
            journal.set_state(run, RunState.RUNNING)
            journal.record(run, intents=rows)
            yield customer_id
            journal.set_state(run, RunState.STOPPED)


def learn(
    sandbox: Sandbox,
    folder: Path,
    *names: str,
    is_read: bool = True,
    also: Collection[str] = ON_REQUEST,
    clock: Clock | None = None,
    is_complete: bool = True,
) -> tuple[Facts, list[dict[str, object]], int]:
    """What facts and probe find out, the shapes of all answers, and the requests of the probe."""
    with open_context(make_settings(sandbox, folder), clock or HurriedClock(), threading.Event()) as context:
        questioner = Questioner(context.client)
        if is_read:
            context.journal.keep_facts(context.host, read_facts(questioner), "")
        context.client.reset_calls()
        customer_id = find_probeable(sandbox, *names)
        before = sandbox.customer(customer_id)
        customer = read_customer(questioner, customer_id)
        assert customer is not None
        assert Probe(context, ProbedCustomer(questioner, customer_id, customer), also).run() is is_complete
        assert sandbox.customer(customer_id) == before
        known = {name: each.value for name, each in find_profile(context.journal, context.host).facts.items()}
        return known, [each.to_json() for each in questioner.shapes], context.client.calls
