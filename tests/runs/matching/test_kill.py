"""kill -9 at any moment of a search, then the same command again: nothing wrong, and no answer asked for twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FIRST, read_results, write_csv
from tests.runs.killing import CONCURRENCY, KILLED, Killer
from tests.warm import WarmProgram

ROWS = 30
MOST_EVENTS = 5000
STEP = 191
"""Between the kills of the fast test; the long one kills at every event."""
SERVICES = {"by filter": 2000, "by list": 640}
"""How many customers make the one way or the other cheaper for 30 rows."""

pytestmark = pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="kills are made with fork and SIGKILL")


def kill_and_repeat(sandbox: Any, warm_program: WarmProgram, folder: Path, n: int) -> bool:
    """Whether the n-th event was there to be killed at."""
    folder.mkdir()
    emails = [str((sandbox.customer(FIRST + 7 * at) or {})["Email"]) for at in range(ROWS)]
    sheet = write_csv(folder / "sheet.csv", [["Email", "Name"], *([email, "N"] for email in emails)])
    sandbox.reset_log()
    killer = Killer(sandbox.base_url, warm_program)
    arguments = ("match", sheet, "--key", "Email", "-o", folder / "matched.csv", "--force")
    was_killed = killer.call(folder, *arguments, kill_at=n) == KILLED
    if was_killed:
        assert killer.call(folder, *arguments) == 0, (folder / "err").read_text()
    lines = read_results(folder / "matched.csv")
    assert [line["CustomerId"] for line in lines] == [str(FIRST + 7 * at) for at in range(ROWS)]
    asked = Counter(each.query for each in sandbox.requests if each.kind == "list")
    assert sum(asked.values()) - len(asked) <= CONCURRENCY * was_killed
    return was_killed


def test_killed_at_one_event_in_191_nothing_is_searched_twice(make_sandbox, warm_program, tmp_path):
    sandbox = make_sandbox(customers=SERVICES["by filter"])
    n = 1
    while kill_and_repeat(sandbox, warm_program, tmp_path / f"at-{n}", n):
        n += STEP
    assert 1 + STEP < n < MOST_EVENTS, "the events must cover the search"


@pytest.mark.long
@pytest.mark.parametrize("customers", SERVICES.values(), ids=SERVICES)
def test_killed_at_every_event_nothing_is_searched_twice(make_sandbox, warm_program, tmp_path, customers):
    sandbox = make_sandbox(customers=customers)
    n = 1
    while kill_and_repeat(sandbox, warm_program, tmp_path / f"at-{n}", n):
        n += 1
    assert 100 < n < MOST_EVENTS
