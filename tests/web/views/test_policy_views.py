"""The write policy of each column, chosen on the page of a sheet."""

from __future__ import annotations

from pathlib import Path

from bulkupdate.sandbox.server import Sandbox
from tests.web.served import Server, Visitor, path_of, sent_customers


def test_columns_are_written_as_their_user_chose_and_never_more_freely_than_the_settings_say(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    sheet = b"CustomerId,Name,Fax,Mobile\n120001,New,1,2\n120002,New,1,2\n"
    with Server(sandbox.base_url, tmp_path / "s", write_policy="Mobile=never") as server:
        anna = Visitor(server.url, "anna")
        checked = anna.upload("a.csv", sheet)
        before = sandbox.customer(120_001)
        chosen = {"policy-Name": "only-if-empty", "policy-Fax": "never", "policy-Mobile": "overwrite"}
        stale = anna.get(path_of(checked)).text
        checked = anna.post(path_of(checked) + "/write-policy", **chosen)
        assert "Fax is never written (write policy)" in checked.text
        assert "Mobile is never written (write policy)" in checked.text
        assert "1 to find out which fields are empty" in checked.text
        assert "find out which" not in stale
        sandbox.reset_log()
        anna.wait_for_end(anna.start(checked))
        assert sent_customers(sandbox) == []
        assert sandbox.customer(120_001) == before
