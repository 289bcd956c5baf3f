"""What every page shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import g, render_template

from bulkupdate.settings import Settings
from bulkupdate.web import password_again, security
from bulkupdate.web.app import create_app
from tests.web.served import make_session


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("xx.api.sellercloud.com", "Live:</strong> what you send changes customers at xx.api.sellercloud.com"),
        ("127.0.0.1:8765", "Sandbox:</strong>"),
        ("[::1]:8765", "Sandbox:</strong>"),
        ("127.0.0.1.example.com", "Live:</strong>"),
    ],
)
def test_every_page_says_whether_real_customers_are_changed(tmp_path: Path, host: str, shown: str) -> None:
    app = create_app(Settings(base_url=f"https://{host}/rest/api", state_dir=tmp_path))
    with app.test_request_context("/"):
        g.user_session = make_session(host=host)
        assert shown in render_template("error.html", title="Title", message="Message", reference="")


@pytest.mark.parametrize(
    "rule", [password_again.NEEDS_PASSWORD, security.PUBLIC, security.SELF_REFRESHING, frozenset(security.FORM_BYTES)]
)
def test_rules_name_endpoints_that_exist(tmp_path: Path, rule: frozenset[str]) -> None:
    app = create_app(Settings(state_dir=tmp_path))
    assert rule <= {each.endpoint for each in app.url_map.iter_rules()}


def test_a_number_is_followed_by_a_plural_only_where_it_may_not_be_one() -> None:
    """No page says “1 customers”."""
    nouns = "cells|changes|customers|kinds|problems|reasons|requests|rows|runs|sheets"
    plural = re.compile(rf"(?:number|length|count) ?(?:\}}\}}|~ [\"']) ?(?:more )?(?:{nouns})\b")
    folder = Path(create_app.__code__.co_filename).parent / "templates"
    found = {path.name: plural.findall(path.read_text(encoding="utf-8")) for path in folder.glob("*.html")}
    assert len(found) > 40
    assert {name: each for name, each in found.items() if each} == {}
