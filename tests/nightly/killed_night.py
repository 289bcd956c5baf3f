"""Kill a night at its n-th change in the folder and run the next one; print the findings, one JSON line a kill.

A program of its own, as each night is a fork of a process that has loaded everything and has no threads.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.runs.journal import Journal
from tests.nightly.night_folders import BAD, FIRST, SUBFOLDERS, NightEnvironment, sheet
from tests.postgres import place_of

STEPS = {"os.rename", "os.remove", "os.link", "os.chmod"}
WRITING = os.O_WRONLY | os.O_RDWR
INPUTS = {"good.csv": sheet(range(FIRST, FIRST + 3)), "bad.csv": BAD, "odd.xlsx": "no workbook"}


def kill_at(step: int, folder: Path) -> None:
    """End this process without further ado at the n-th change it makes in the folder."""
    claimed = 0

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal claimed
        is_step = event in STEPS or (event == "open" and arguments[2] & WRITING)
        if is_step and str(arguments[0]).startswith(str(folder)):
            claimed += 1
            if claimed == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def in_a_fork(env: NightEnvironment, step: int | None) -> bool:
    """One night in a process of its own; whether it came to its end."""
    child = os.fork()
    if child == 0:
        if step is not None:
            kill_at(step, env.folder)
        try:
            env.night()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def is_each_once(env: NightEnvironment) -> bool:
    """Whether the content of each input is in exactly one of the subfolders."""
    found = Counter(path.read_text() for place in SUBFOLDERS for path in (env.folder / place).iterdir())
    return found == Counter(INPUTS.values())


def main(root: Path, base_url: str) -> None:
    for step in count(1):
        env = NightEnvironment(root / str(step), SimpleNamespace(base_url=base_url))  # type: ignore[arg-type]  # only its address
        for age, (name, text) in enumerate(INPUTS.items()):
            env.put(name, text, age=60 - age)
        if in_a_fork(env, step):
            return
        once, working = is_each_once(env), env.places()["working"]
        in_a_fork(env, None)
        with Journal(place_of(env.state), Clock()) as journal:
            runs = [{str(status): n for status, n in journal.tally(run).counts.items()} for run in journal.runs()]
        found = {"step": step, "once": once, "working": str(working), "after": env.places(), "runs": runs}
        print(json.dumps(found), flush=True)  # noqa: T201 - it is for the test that calls


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
