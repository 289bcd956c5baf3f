"""Deleting one's own data over HTTP."""

from __future__ import annotations

from pathlib import Path

from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, make_csv, path_of


def test_a_run_is_deleted_by_its_user_with_all_that_is_kept_of_it(server: Server, anna: Visitor) -> None:
    checked = anna.upload("ephemeral.csv", make_csv(2, first_id=127_001, name="Ephemeral"))
    run = path_of(anna.wait_for_end(anna.start(checked)))
    anna.get(run + "/results.csv")
    assert Visitor(server.url, "bert").post(run + "/delete", agreed="1").status_code == 404
    assert Visitor(server.url, "admin").post(run + "/delete", agreed="1").status_code == 403
    assert anna.post(run + "/delete").status_code == 400
    assert "ephemeral.csv" not in anna.post(run + "/delete", agreed="1").text
    assert anna.get(run).status_code == anna.get(path_of(checked)).status_code == 404
    assert not (server.state_dir / "uploads" / run.removeprefix("/runs/")).exists()
    assert b"Ephemeral" not in b"".join(path.read_bytes() for path in server.state_dir.glob("journal*"))


def test_a_run_that_is_being_sent_or_is_not_the_oldest_stays(tmp_path: Path) -> None:
    slow = SandboxOptions(customers=300, latency_seconds=0.2, **LOGINS)
    with Sandbox(slow) as sandbox, Server(sandbox.base_url, tmp_path / "s", concurrency="1") as server:
        anna = Visitor(server.url, "anna")
        older = path_of(anna.start(anna.upload("older.csv", make_csv(50))))
        assert anna.post(older + "/delete", agreed="1").status_code == 409
        anna.post(older + "/stop")
        anna.wait_for_end(anna.get(older))
        newer = path_of(anna.wait_for_end(anna.start(anna.upload("newer.csv", make_csv(1)))))
        refused = anna.post(newer + "/delete", agreed="1")
        assert refused.status_code == 409
        assert older.removeprefix("/runs/") in refused.text
        anna.post(older + "/delete", agreed="1")
        assert anna.post(newer + "/delete", agreed="1").status_code == 200
