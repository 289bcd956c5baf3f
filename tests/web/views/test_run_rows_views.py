"""What went wrong in a run, over HTTP."""

from __future__ import annotations

import re
from pathlib import Path

import requests

from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, path_of, sent_customers

SHEET = "CustomerId,Email,Comments\n" + "".join(
    f"{100_001 + at},{'bad' if at % 10 == 0 else f'a{at}@example.com'},note {at}\n" for at in range(40)
)


def count_rows(page: requests.Response) -> int:
    return page.text.count('data-label="Customer"')


def test_reasons_are_counted_and_the_rows_are_filtered_searched_fixed_and_sent(tmp_path: Path) -> None:
    plan = ScheduledFaults(customers={100_003: ["conflict-409"], 100_004: ["conflict-409"]})
    with Sandbox(SandboxOptions(**LOGINS), plan=plan) as sandbox, Server(sandbox.base_url, tmp_path / "s") as server:
        anna = Visitor(server.url, "anna")
        run = anna.wait_for_end(anna.start(anna.upload("Kunden.csv", SHEET.encode()), skip_invalid="1"))
        assert '<span class="chip state-finished with-failures">finished, 4 invalid, 2 rejected</span>' in run.text
        assert (
            '<span class="chip state-finished with-failures">finished, 4 invalid, 2 rejected</span>'
            in anna.get("/runs").text
        )
        links = re.findall(r'href="(/runs/[^"]+/rows\?show=\w+)"', run.text)
        assert len(links) == 2, "invalid by one reason, rejected by one"
        invalid, rejected = map(anna.get, links)
        assert (count_rows(invalid), count_rows(rejected)) == (4, 2)
        rows = path_of(run) + "/rows"
        assert count_rows(anna.get(rows)) == 6
        assert count_rows(anna.post(rows, show="updated", search="NOTE 17")) == 1
        assert count_rows(anna.post(rows, show=links[1].rpartition("=")[2], search="100004")) == 1
        assert "No row matches." in anna.post(rows, search="<script>").text
        sandbox.reset_log()
        page = anna.post(path_of(run) + "/fix", show=links[1].rpartition("=")[2], search="100004")
        assert "Kunden-to-fix.xlsx" in page.text
        assert "rejected when it was sent" in page.text
        row = anna.get(path_of(page) + "/rows/2")
        place = re.search(r'value="2:(\d+)"><input id="cell-\d+" name="after" value="note 3"', row.text)
        assert place is not None
        page = anna.post(path_of(page) + "/corrections", revision="0", cell=[f"2:{place[1]}"], after=["other"])  # type: ignore[arg-type]
        assert "Every row went through." in anna.wait_for_end(anna.start(page)).text
        assert sent_customers(sandbox) == [100_004]
        assert (sandbox.customer(100_004) or {})["Comments"] == "other"
        assert Visitor(server.url, "bert").get(rows).status_code == 404
        assert Visitor(server.url, "bert").post(path_of(run) + "/fix").status_code == 404
