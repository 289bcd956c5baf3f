"""Leave out what `requests` does for each request and nobody here needs: a quarter of its processor time."""

from __future__ import annotations

from typing import Any

from requests.models import PreparedRequest, Response
from requests.structures import CaseInsensitiveDict
from urllib3.connectionpool import ConnectionPool

from bulkupdate.sellercloud.http_adapter import DeadlineAdapter


class LeanAdapter(DeadlineAdapter):
    """For requests that all go with the same certificates and proxies."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._pools: dict[str, ConnectionPool] = {}
        super().__init__(*args, **kwargs)

    def get_connection_with_tls_context(
        self, request: PreparedRequest, verify: Any, proxies: Any = None, cert: Any = None
    ) -> Any:
        """Return the connections to the request's host; address and proxies are parsed for the first request only."""
        origin = "/".join((request.url or "").split("/", 3)[:3])
        if origin not in self._pools:
            self._pools[origin] = super().get_connection_with_tls_context(request, verify, proxies, cert)
        return self._pools[origin]

    def request_url(self, request: PreparedRequest, proxies: Any) -> str:
        """Return the address as it stands in the request's first line; without proxies that is its path."""
        return super().request_url(request, proxies) if proxies else request.path_url

    def build_response(self, req: PreparedRequest, resp: Any) -> Response:  # noqa: ARG002 - the signature of `requests`
        """Return the answer with its status and headers, without history and cookies, which nobody needs."""
        response = Response()
        response.status_code = resp.status
        response.headers = CaseInsensitiveDict(resp.headers)
        response.raw = resp
        return response

    def close(self) -> None:
        """Close the kept connections."""
        self._pools.clear()
        super().close()
