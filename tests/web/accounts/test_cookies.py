"""Cookies: bound to the host under TLS, and a device that is known again."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
from flask import Response
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from bulkupdate.web.accounts.cookies import DEVICE_COOKIE, DeviceCookies
from tests.web.served import Server

HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "bulk.example.com"}


def test_under_tls_the_cookie_is_bound_to_the_host(proxied: Server) -> None:
    answer = requests.get(f"{proxied.url}/sign-in", headers=HTTPS, timeout=30)
    assert answer.headers["Set-Cookie"].startswith("__Host-bulkupdate=")
    for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert f"; {part}" in answer.headers["Set-Cookie"]
    assert "Domain" not in answer.headers["Set-Cookie"]
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def make_request(cookie: str = "") -> Request:
    builder = EnvironBuilder()
    builder.headers["Cookie"] = cookie
    return Request(builder.get_environ())


def cookie_of(response: Response) -> str:
    return response.headers["Set-Cookie"].partition(";")[0]


def test_a_device_is_known_again_for_its_users_also_after_a_restart(tmp_path: Path) -> None:
    response = Response()
    DeviceCookies(tmp_path).add(make_request(), response, "anna")
    again = make_request(cookie_of(response))
    device = DeviceCookies(tmp_path).read(again, "anna")
    assert device
    assert not DeviceCookies(tmp_path).read(again, "bert")
    assert not DeviceCookies(tmp_path / "elsewhere").read(again, "anna")
    second = Response()
    DeviceCookies(tmp_path).add(again, second, "bert")
    both = make_request(cookie_of(second))
    assert DeviceCookies(tmp_path).read(both, "anna") == DeviceCookies(tmp_path).read(both, "bert") == device


@pytest.mark.parametrize("value", ["", "x", "eyJ1c2VycyI6W119.forged"])
def test_a_forged_device_is_not_known(tmp_path: Path, value: str) -> None:
    assert not DeviceCookies(tmp_path).read(make_request(f"{DEVICE_COOKIE}={value}"), "anna")
