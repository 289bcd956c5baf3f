"""Kill a night of a folder elsewhere at its n-th step and run the next ones; print the findings, a line for each kill.

A step is what the night does over there, before and after, and a change in the local folder. See `killed_night.py`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.nightly.remote_folder import find_local_root
from bulkupdate.remote.address import parse_address
from bulkupdate.remote.opening import open_store
from bulkupdate.remote.s3_store import S3Store
from bulkupdate.remote.sftp_store import SftpStore
from bulkupdate.runs.journal import Journal
from tests.nightly.killed_night import STEPS, WRITING
from tests.nightly.night_folders import BAD, FIRST, SUBFOLDERS, NightEnvironment, sheet
from tests.postgres import place_of

INPUTS = {"good.csv": sheet(range(FIRST, FIRST + 3)), "bad.csv": BAD}
OPERATIONS = ("list_files", "find_version", "write", "move", "delete", "make_folder")


def kill_at(step: int, folder: Path) -> None:
    """End this process without further ado at its n-th step."""
    done = 0

    def happen() -> None:
        nonlocal done
        done += 1
        if done == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        is_step = event in STEPS or (event == "open" and arguments[2] & WRITING)
        if is_step and str(arguments[0]).startswith(str(folder)):
            happen()

    def around(real: Any) -> Any:
        def call(*given: Any) -> Any:
            happen()
            result = real(*given)
            happen()
            return result

        return call

    for store in (S3Store, SftpStore):
        for name in OPERATIONS:
            setattr(store, name, around(getattr(store, name)))
    sys.addaudithook(watch)


def in_a_fork(env: NightEnvironment, address: str, step: int | None) -> bool:
    """One night in a process of its own; whether it came to its end."""
    child = os.fork()
    if child == 0:
        try:
            remote = parse_address(address)
            root = find_local_root(remote, env.state)
            if step is not None:
                kill_at(step, root)
            env.night(root=root, remote=remote, create=True)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status)


def in_another_fork(work: Any) -> Any:
    """What `work` returns in a process of its own: this one has no threads, and so can be forked."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.write(writing, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        found = json.load(stream)
    os.wait()
    return found


def put_inputs(address: str) -> None:
    remote = parse_address(address)
    with open_store(remote, 10.0) as store:
        store.make_folder(f"{remote.path}/inbox")
        for name, text in INPUTS.items():
            store.write(f"{remote.path}/inbox/{name}", text.encode())


def list_all(address: str) -> dict[str, list[str]]:
    """The names in each folder, without run ids."""
    remote = parse_address(address)
    with open_store(remote, 10.0) as store:
        names = {place: store.list_files(f"{remote.path}/{place}") for place in (*SUBFOLDERS, "reports")}
    return {
        place: sorted(each.name if place == "inbox" else each.name[25:] for each in found)
        for place, found in names.items()
    }


def main(root: Path, base_url: str, parent: str, first: int, every: int) -> None:
    for step in count(first, every):
        env = NightEnvironment(root / str(step), SimpleNamespace(base_url=base_url))  # type: ignore[arg-type]  # only its address
        address = f"{parent}/{step}"
        in_another_fork(lambda: put_inputs(address))  # noqa: B023 - called at once
        if in_a_fork(env, address, step):
            return
        in_a_fork(env, address, None)
        with Journal(place_of(env.state), Clock()) as journal:
            runs = [{str(status): n for status, n in journal.tally(run).counts.items()} for run in journal.runs()]
        found = {"step": step, "runs": runs, "after": in_another_fork(lambda: list_all(address))}  # noqa: B023
        print(json.dumps(found), flush=True)  # noqa: T201 - it is for the test that calls


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3].rstrip("/"), int(sys.argv[4]), int(sys.argv[5]))
