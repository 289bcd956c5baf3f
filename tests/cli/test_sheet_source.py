"""Standard input as a sheet: kept as a file, so that the commands that follow have what was checked or sent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from tests.conftest import FIRST, find_puts, finish
from tests.remote.web_server import answer, serve_web

LINES = "".join(f'{{"CustomerId": {FIRST + at}, "Name": "piped {at}"}}\n' for at in range(3))


def pipe(run_program: Any, text: str, *arguments: object, **settings: object) -> tuple[Any, Any]:
    """Call with this text as standard input; return the call that has ended, and its JSON object."""
    (run_program.folder / "stdin").write_text(text)
    told = finish(run_program.fork(*arguments, stdin="stdin", **settings))
    return told, told.told


def test_what_was_piped_in_can_be_checked_sent_and_resumed_by_the_commands_printed(
    run_program: Any, sandbox: Any, tmp_path: Path
) -> None:
    told, checked = pipe(run_program, LINES, "check", "-", "--format", "jsonl")
    assert (told.exit_code, checked["rows"]) == (0, 3), told.err
    kept = Path(checked["next_args"][2])
    assert (kept.parent, kept.suffix, kept.read_text()) == (run_program.state / "inputs", ".jsonl", LINES)
    assert kept.stat().st_mode & 0o777 == 0o600
    stopped = run_program(*checked["next_args"][1:], "--yes", "--limit", 1)
    assert Path(stopped.told["results"]).parent == run_program.state / "results"
    kept.unlink()
    assert stopped.told["next_args"][1:2] == ["resume"]
    done = run_program(*stopped.told["next_args"][1:])
    assert (done.exit_code, done.counts) == (0, {"updated": 3})
    assert len(find_puts(sandbox)) == 3


def test_a_run_of_standard_input_is_sent_at_once_and_purged_with_its_input(
    run_program: Any, sandbox: Any, tmp_path: Path
) -> None:
    told, sent = pipe(run_program, f"CustomerId,Name\n{FIRST},piped\n", "run", "-", "--format", "csv", "--yes")
    assert (told.exit_code, sent["counts"]) == (0, {"updated": 1}), told.err
    kept = Path(sent["file"])
    assert kept.parent == run_program.state / "inputs"
    os.utime(kept, (0, 0))
    run_program("purge", "--older-than", "1d")
    assert not kept.exists()


def test_an_address_is_kept_as_a_file_and_its_token_nowhere(run_program: Any, sandbox: Any, tmp_path: Path) -> None:
    with serve_web() as web:
        web.answers["/pub"] = answer(f"CustomerId,Name\n{FIRST},fetched\n".encode(), Content_Type="text/csv")
        checked = run_program("check", web.url("/pub?token=s3cret-token"), "--ignore-unknown")
        refused = run_program("check", web.url("/nosuch.csv?token=s3cret-token"))
    assert (checked.exit_code, checked.told["rows"]) == (0, 1), checked.err
    sent = run_program(*checked.told["next_args"][1:], "--yes")
    assert (sent.exit_code, sent.counts) == (0, {"updated": 1}), sent.err
    assert (refused.exit_code, refused.told["file"]) == (3, web.url("/nosuch.csv"))
    kept = b"".join(path.read_bytes() for path in run_program.state.glob("**/*") if path.is_file())
    assert b"s3cret" not in kept + "".join((checked.out, checked.err, sent.err, refused.out, refused.err)).encode()


def test_standard_input_says_what_is_missing(run_program: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(f"CustomerId\n{FIRST}\n")
    for arguments, message in (
        (("check", "-"), "The format of standard input (`-`) is not known."),
        (("check", "a.csv", "--format", "csv"), "--format is for standard input"),
        (("check", "-", "--format", "csv", "--key", "Name", "--lookup", "-"), "only one of the sheets"),
    ):
        told = run_program(*arguments)
        assert (told.exit_code, message in told.err) == (2, True), told.err
    told, refused = pipe(run_program, LINES, "check", "-", "--format", "jsonl", max_unpacked_bytes=100)
    assert (told.exit_code, "more than 100 bytes" in told.err, refused["file"]) == (3, True, "-")
    told, refused = pipe(run_program, LINES[:-8], "check", "-", "--format", "jsonl")
    assert (told.exit_code, "Line 3 of stdin-" in told.err) == (3, True), told.err
