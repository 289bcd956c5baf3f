"""One customer that is refused with 401 though the token is good, and list answers that contradict themselves."""

from __future__ import annotations

import threading
from pathlib import Path

from bulkupdate.sellercloud.update_result import AnswerKind
from tests.sellercloud.scripted import Reaction, Received, connect, serve


def test_a_401_for_one_customer_is_a_rejection_if_the_new_token_is_good_for_another(tmp_path: Path) -> None:
    other_is_done = threading.Event()
    tries: list[str] = []

    def script(request: Received) -> Reaction:
        if request.customer_id != "163":
            return Reaction()
        tries.append("163")
        return Reaction(401, pause=other_is_done if len(tries) == 2 else None)

    with serve(script) as service, connect(service.base_url, tmp_path) as client:

        def send_other() -> None:
            while len(tries) < 2:
                other_is_done.wait(0.01)
            client.update_customer("164", "{}")
            other_is_done.set()

        other = threading.Thread(target=send_other)
        other.start()
        answer = client.update_customer("163", "{}")
        other.join()
        assert (answer.status, answer.http_status, answer.stop) == (AnswerKind.REJECTED, 401, None)
        assert len(service.sign_ins) == 2


def test_two_different_entries_for_one_customer_are_not_believed(tmp_path: Path) -> None:
    entries = [{"UserID": 163, "Email": "a@example.com"}, {"UserID": 163, "Email": "b@example.com"}, {"UserID": 164}]

    def script(request: Received) -> Reaction:
        if "?" in request.path:
            return Reaction(body={"Items": entries, "TotalResults": 3})
        return Reaction(body={"General": {"ID": 163, "Name": "Two"}})

    with serve(script) as service, connect(service.base_url, tmp_path) as client:
        client.list_customers(["163", "164"])
        assert [each.customer_id for each in service.received if each.method == "GET"][1:] == ["163"]
