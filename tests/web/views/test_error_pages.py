"""Error pages."""

from __future__ import annotations

import re
import stat

from tests.web.served import Server, Visitor, make_csv, path_of


def test_a_bug_shows_a_number_and_nothing_else(server: Server, anna: Visitor) -> None:
    """No stack, no path; the details are in a file that only the server's user can read, and not in the log."""
    checked = path_of(anna.upload("broken.csv", make_csv(4, bad_every=2)))
    folder = server.state_dir / "uploads" / checked.rpartition("/")[2]
    (folder / "check.sqlite3").write_text("unheard of " * 1000)
    answer = anna.get(checked)
    assert answer.status_code == 500
    number = re.search(r"Reference number: <strong>([0-9a-f]{8})</strong>", answer.text)
    assert number is not None
    assert "Traceback" not in answer.text
    assert str(server.state_dir) not in answer.text
    kept = server.state_dir / "errors" / f"{number[1]}.txt"
    assert "Traceback" in kept.read_text()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "Traceback" not in server.log
    assert "unheard" not in server.log
