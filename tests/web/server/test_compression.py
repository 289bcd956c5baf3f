"""Pages are compressed, files that are compressed already are not."""

from __future__ import annotations

import requests

from tests.web.served import Server, Visitor


def test_pages_scripts_and_styles_are_compressed(server: Server, anna: Visitor, run_of_anna: str) -> None:
    for path in ("/", run_of_anna, "/static/style.css", "/static/page.js"):
        answer = anna.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.headers["Content-Encoding"] == "gzip", path
        assert "Accept-Encoding" in answer.headers["Vary"]
        plain = anna.get(path, headers={"Accept-Encoding": "identity"})
        assert "Content-Encoding" not in plain.headers
        assert int(answer.headers["Content-Length"]) < len(plain.content) / 1.8
    assert "Content-Encoding" not in anna.get(run_of_anna + "/results.xlsx").headers
    assert "Content-Encoding" not in requests.get(server.url + "/healthz", timeout=5).headers


def test_the_length_of_a_page_does_not_tell_what_is_in_it(anna: Visitor) -> None:
    lengths = {anna.get("/runs?q=nothing").headers["Content-Length"] for _ in range(12)}
    assert len(lengths) > 1


def test_a_style_that_has_not_changed_is_not_sent_again(server: Server) -> None:
    first = requests.get(server.url + "/static/style.css", timeout=5)
    again = requests.get(server.url + "/static/style.css", headers={"If-None-Match": first.headers["ETag"]}, timeout=5)
    assert again.status_code in (200, 304)
