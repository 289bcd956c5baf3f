"""What is kept of an answer: no value of a customer, of the login or of the address, whatever the service says."""

from __future__ import annotations

import json
import threading
from typing import Any

from bulkupdate.clock import Clock
from bulkupdate.runs.context import open_context
from bulkupdate.runs.tenant.answers import Questioner
from bulkupdate.sandbox.responses import answer_json
from tests.conftest import FIRST
from tests.runs.tenant.probing import make_settings


def test_names_in_a_hostile_answer_that_hold_private_values_are_not_kept(make_sandbox, tmp_path):
    hostile: dict[str, Any] = {}
    sandbox = make_sandbox(plan=lambda request: answer_json(hostile, 400) if request.kind == "write" else None)
    host = sandbox.base_url.split("/")[2]
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        questioner = Questioner(context.client)
        questioner.get("customer", f"Customers/{FIRST}")
        customer = sandbox.customer(FIRST)
        token = context.client.pipeline._sign_in.current().text
        private = [
            customer["Name"], *customer["Name"].split(), customer["Email"], customer["Email"].replace("@", "."),
            customer["Name"].replace(" ", "_"), f"id{FIRST}", f"x.{host.replace(':', '_')}", "sandbox", token,
            "Key\x1b[31m", "k" * 61,
        ]  # fmt: skip
        hostile |= dict.fromkeys(private, 1) | {"CustomColumns": {"Discount": 1}} | {f"k{at}": 1 for at in range(900)}
        questioner.send("update", "PUT", f"{context.client.base_url}/Customers/{FIRST}", "{}")
    kept = questioner.shapes[-1].to_json()
    assert [each for each in private if each.casefold() in json.dumps(kept, ensure_ascii=False).casefold()] == []
    assert kept["keys"]["CustomColumns.Discount"] == "number"
    assert len(kept["keys"]) <= 500


def test_a_text_of_four_letters_is_private_within_a_name_and_one_of_three_is_not(make_sandbox, tmp_path):
    """Three letters are in many names by chance."""
    answers = {"read": {"Name": "Bo Li", "Source": "fax"}, "write": {"IsBoLiOrNot": 1, "OldFaxes": 2}}
    sandbox = make_sandbox(plan=lambda request: answer_json(answers[request.kind]) if request.kind in answers else None)
    with open_context(make_settings(sandbox, tmp_path), Clock(), threading.Event()) as context:
        questioner = Questioner(context.client)
        questioner.get("customer", f"Customers/{FIRST}")
        questioner.send("update", "PUT", f"{context.client.base_url}/Customers/{FIRST}", "{}")
    assert questioner.shapes[-1].to_json()["keys"] == {"(another name)": "number", "OldFaxes": "number"}
