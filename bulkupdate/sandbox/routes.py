"""The sandbox as a Flask application: the documented paths, and `/sandbox/…` for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bulkupdate.sandbox.backend import Backend, Incoming
from bulkupdate.sandbox.faults import Kind
from bulkupdate.sandbox.responses import JSON_TYPE, SandboxResponse, dump_json

CUT = "sandbox.cut"
"""Key of the WSGI environment under which the server gives a function that cuts the connection."""

IS_GONE = "waitress.client_disconnected"
"""Key under which waitress gives a function that tells whether the client has hung up."""

LONGEST_NAP_SECONDS = 0.1


def create_app(service: Backend) -> Flask:
    """Return the application around the service."""
    app = Flask("bulkupdate.sandbox", static_folder=None)
    _add_documented(app, service)
    _add_test_routes(app, service)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Response:
        """JSON below /rest/, as the service does; elsewhere a page, as a wrong host gives it."""
        if request.path.startswith("/rest/"):
            return _send(service, service.answer(_read_request("other", "", error.code or 500)))
        return Response(error.get_response().get_data(), error.code, content_type="text/html; charset=utf-8")

    return app


def _add_documented(app: Flask, service: Backend) -> None:
    def route(rule: str, method: str, kind: Kind) -> None:
        def view(customer_id: str = "") -> Response:
            return _send(service, service.answer(_read_request(kind, customer_id, 404)))

        app.add_url_rule(rule, f"{kind}", view, methods=[method], provide_automatic_options=False)

    route("/rest/api/token", "POST", "token")
    route("/rest/api/Customers/<customer_id>", "PUT", "write")
    route("/rest/api/Customers/<customer_id>", "GET", "read")
    route("/rest/api/Customers", "GET", "list")
    route("/api/server-by-team/", "GET", "team")


def _read_request(kind: Kind, customer_id: str, refusal_status: int) -> Incoming:
    path = request.environ.get("REQUEST_URI", request.path).partition("?")[0]  # as sent, before unquoting
    return Incoming(
        kind, request.method, path, request.query_string.decode("ascii", "replace"), customer_id,
        request.get_data(cache=False), request.content_type or "", request.headers.get("Authorization", ""),
        request.host_url if kind == "team" else "", refusal_status,
    )  # fmt: skip


def _send(service: Backend, reply: SandboxResponse) -> Response:
    if reply.cut:
        request.environ[CUT](reply.cut == "reset")
    _wait_for_client(service, reply.wait_seconds)
    response = Response(reply.body, reply.status, content_type=reply.content_type)
    response.headers.update(reply.headers)
    if reply.byte_seconds:
        response.response = _trickle(service, reply)
        response.content_length = len(reply.body)
    return response


def _wait_for_client(service: Backend, seconds: float) -> None:
    """Wait so long, but not for a client that has hung up: slow answers must not use up the threads."""
    is_gone: Callable[[], bool] = request.environ.get(IS_GONE, lambda: False)
    while seconds > 0 and not is_gone() and not service.clock.wait(min(seconds, LONGEST_NAP_SECONDS), service.stop):
        seconds -= LONGEST_NAP_SECONDS


def _trickle(service: Backend, reply: SandboxResponse) -> Iterator[bytes]:
    for place in range(len(reply.body)):
        yield reply.body[place : place + 1]
        service.clock.wait(reply.byte_seconds, service.stop)


def _add_test_routes(app: Flask, service: Backend) -> None:
    """Add the paths that no real service has: outside the quota, without a token, on this machine only."""

    @app.get("/sandbox/requests")
    def list_requests() -> Response:
        """Return the log, oldest first; `?after=17` gives those after number 17, `&limit=100` at most so many."""
        after, limit = request.args.get("after", 0, int), request.args.get("limit", None, int)
        newer = (each.describe() for each in service.log.snapshot() if each.number > after)
        return _answer(list(islice(newer, limit)))

    @app.get("/sandbox/customers/<int:customer_id>")
    def show_customer(customer_id: int) -> Response:
        """Return the customer as stored: names of the PUT, a rating as its code; null and 404 if there is none."""
        customer = service.registry.read(customer_id)
        return _answer(customer, 404 if customer is None else 200)

    @app.get("/sandbox/changes")
    def list_changes() -> Response:
        """For each changed customer the fields that were set, with their values now."""
        return _answer(service.registry.list_changes())

    @app.get("/sandbox/counts")
    def show_counts() -> Response:
        return _answer(service.log.count())

    @app.post("/sandbox/reset-log")
    def reset_log() -> Response:
        service.log.clear()
        return _answer(service.log.count())


def _answer(value: object, status: int = 200) -> Response:
    return Response(dump_json(value), status, content_type=JSON_TYPE)
