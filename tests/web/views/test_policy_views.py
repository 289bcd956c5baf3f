"""The write policy of each column, chosen on the page of a sheet."""

from __future__ import annotations

import re
from pathlib import Path

from bulkupdate.customers.fields import CUSTOMER_ID, UPDATABLE
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
        chosen = {"field": ["Name", "Fax", "Mobile"], "policy": ["only-if-empty", "never", "overwrite"]}
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


def test_a_sheet_may_have_every_column(server: Server) -> None:
    fields = [field.name for field in UPDATABLE]
    anna = Visitor(server.url, "anna")
    sheet = ",".join([CUSTOMER_ID.name, *fields]) + "\n120001,New" + "," * (len(fields) - 1) + "\n"
    checked = anna.upload("wide.csv", sheet.encode())
    shown = dict.fromkeys(re.findall(r'name="field" value="(\w+)"', checked.text))
    assert list(shown) == fields
    path, policies = path_of(checked) + "/write-policy", ["never"] * len(fields)
    assert "nothing would be written" in anna.post(path, field=fields, policy=policies).text
    answer = anna.post(path, field=fields, policy=["only-if-empty", *policies[1:]])
    assert answer.text.count('<option value="never" selected>') == len(fields) - 1
