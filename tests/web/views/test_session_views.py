"""Sessions seen and ended: by their user, and by an administrator."""

from __future__ import annotations

import re

from tests.web.served import Server, Visitor


def handles(page: str) -> list[str]:
    return [handle for handle in re.findall(r'name="session" value="([^"]+)"', page) if handle != "others"]


def test_a_user_sees_and_ends_the_other_sessions(server: Server) -> None:
    here = Visitor(server.url, "jan")
    here.post("/sessions/end", session="others")  # of earlier tests
    there, third = (Visitor(server.url, "jan") for _ in range(2))
    page = here.get("/sessions").text
    assert page.count("127.0.0.1") == 3
    assert "this session" in page
    assert "User</th>" not in page  # that is for administrators
    here.post("/sessions/end", session=handles(page)[0])
    assert sorted(visitor.get("/", allow_redirects=False).status_code for visitor in (there, third)) == [200, 303]
    here.post("/sessions/end", session="others")
    for ended in (there, third):
        form = ended.get("/")
        assert "You signed out of this session from another one." in form.text
    assert here.get("/", allow_redirects=False).status_code == 200


def test_a_user_ends_no_session_of_another(server: Server) -> None:
    bert = Visitor(server.url, "bert")
    admin = Visitor(server.url, "admin")
    line = re.search(r"<td>bert</td>.*?value=\"([^\"]{10})\"", admin.get("/sessions").text, re.DOTALL)
    assert line is not None
    Visitor(server.url, "chris").post("/sessions/end", session=line[1])
    assert bert.get("/", allow_redirects=False).status_code == 200
    admin.post("/sessions/end", session=line[1])
    form = bert.get("/")
    assert "An administrator ended your session." in form.text


def test_an_administrator_releases_a_name_that_was_guessed_at(server: Server) -> None:
    guesser = Visitor(server.url)
    codes = [guesser.sign_in("gerd", f"wrong {number}").status_code for number in range(4)]
    assert codes[-1] == 429
    admin = Visitor(server.url, "admin")
    assert "gerd" in admin.get("/sessions").text
    assert Visitor(server.url, "chris").post("/sessions/release", name="gerd").status_code == 403
    admin.post("/sessions/release", name="gerd")
    assert Visitor(server.url).sign_in("gerd").status_code == 200


def test_asking_how_long_a_session_lasts_does_not_prolong_it_and_staying_does(server: Server) -> None:
    anna = Visitor(server.url, "anna")
    first = anna.get("/session").json()["seconds"]
    assert anna.get("/session").json()["seconds"] < first <= 1800
    token = anna.token("/sessions")
    answer = anna.session.post(server.url + "/session/stay", {"csrf_token": token}, timeout=5)
    assert answer.json()["seconds"] > 1799.9
