"""The sandbox as a Flask application: the documented paths, and `/sandbox/…` to inspect it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from bulkupdate.sandbox.backend import Backend, IncomingRequest
from bulkupdate.sandbox.faults import Kind
from bulkupdate.sandbox.responses import JSON_TYPE, SandboxResponse, dump_json

CUT = "sandbox.cut"
"""Key of the WSGI environment that holds the server's function to cut the connection."""

HAS_DISCONNECTED = "waitress.client_disconnected"
"""Key that holds waitress's function to tell whether the client has disconnected."""

LONGEST_WAIT_SECONDS = 0.1


def create_app(service: Backend) -> Flask:
    """Return the application around the service."""
    app = Flask("bulkupdate.sandbox", static_folder=None)
    _add_documented(app, service)
    _add_test_routes(app, service)

    @app.errorhandler(HTTPException)
    def explain(error: HTTPException) -> Response:
        """Return JSON below /rest/, as the service does; elsewhere a page, as a wrong host does."""
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
    if service.options.swagger:
        route("/rest/swagger/docs/v1", "GET", "swagger")
    route("/rest/api/Diagnostics/Server", "GET", "server")


def _read_request(kind: Kind, customer_id: str, refusal_status: int) -> IncomingRequest:
    path = request.environ.get("REQUEST_URI", request.path).partition("?")[0]  # as sent, before unquoting
    return IncomingRequest(
        kind, request.method, path, request.query_string.decode("ascii", "replace"), customer_id,
        request.get_data(cache=False), request.content_type or "", request.headers.get("Authorization", ""),
        request.host_url if kind == "team" else "", refusal_status,
    )  # fmt: skip


def _send(service: Backend, response: SandboxResponse) -> Response:
    if response.cut:
        request.environ[CUT](response.cut == "reset")
    _wait_for_client(service, response.wait_seconds)
    sent = Response(response.body, response.status, content_type=response.content_type)
    sent.headers.update(response.headers)
    if response.byte_seconds:
        sent.response = _trickle(service, response)
        sent.content_length = len(response.body)
    return sent


def _wait_for_client(service: Backend, seconds: float) -> None:
    """Wait, unless the client has disconnected: slow responses must not use up the threads."""
    has_disconnected: Callable[[], bool] = request.environ.get(HAS_DISCONNECTED, lambda: False)
    while (
        seconds > 0
        and not has_disconnected()
        and not service.clock.wait(min(seconds, LONGEST_WAIT_SECONDS), service.stop)
    ):
        seconds -= LONGEST_WAIT_SECONDS


def _trickle(service: Backend, response: SandboxResponse) -> Iterator[bytes]:
    for index in range(len(response.body)):
        yield response.body[index : index + 1]
        service.clock.wait(response.byte_seconds, service.stop)


def _add_test_routes(app: Flask, service: Backend) -> None:
    """Add the paths that the real service lacks: outside the quota, without a token, on this machine only."""

    @app.get("/sandbox/requests")
    def list_requests() -> Response:
        """Return the log, oldest first; `?after=17`: those after number 17, `&limit=100`: at most that many."""
        after, limit = request.args.get("after", 0, int), request.args.get("limit", None, int)
        newer = (received.describe() for received in service.log.snapshot() if received.number > after)
        return _answer(list(islice(newer, limit)))

    @app.get("/sandbox/customers/<int:customer_id>")
    def show_customer(customer_id: int) -> Response:
        """Return the customer as stored: names of the PUT, a rating as its code; null and 404 if there is none."""
        customer = service.registry.read(customer_id)
        return _answer(customer, 404 if customer is None else 200)

    @app.get("/sandbox/changes")
    def list_changes() -> Response:
        """Return, for each changed customer, the fields that were set, with their current values."""
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
