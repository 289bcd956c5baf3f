"""The sandbox over HTTP: waitress on a loopback address, in its own thread."""

from __future__ import annotations

import logging
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import waitress.server
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.task import ThreadedTaskDispatcher, WSGITask

from bulkupdate.clock import STEP_SECONDS, Clock
from bulkupdate.errors import UsageError
from bulkupdate.network import describe_bind_error, is_loopback
from bulkupdate.sandbox.backend import Backend
from bulkupdate.sandbox.customer_store import Customer
from bulkupdate.sandbox.faults import FaultSchedule
from bulkupdate.sandbox.request_log import ReceivedRequest
from bulkupdate.sandbox.routes import CUT, create_app
from bulkupdate.sandbox.switches import SandboxOptions

THREADS = 64
"""The maximum number of requests answered at the same time; others wait. 32 in flight with a latency need 32."""

LARGEST_BODY_BYTES = 4 * 2**20
STOP_SECONDS = 5
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""SO_LINGER with no time to linger: closing sends a TCP reset."""


class _CuttableTask(WSGITask):
    """A request whose application can cut the connection."""

    channel: _CuttableChannel

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[CUT] = self.channel.cut
        return environ


class _CuttableChannel(HTTPChannel):
    """A connection that can be cut by the thread that answers.

    Once marked as disconnected, it sends no further byte; the loop's thread, which owns it, closes it.
    """

    task_class = _CuttableTask

    def cut(self, is_reset: bool) -> None:
        if is_reset and self.socket:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        self.connected = False
        self.will_close = True
        self.server.pull_trigger()


class _GrowingDispatcher(ThreadedTaskDispatcher):
    """Starts a thread only when all are busy: 64 take three times as long to start as the rest of a sandbox."""

    def __init__(self) -> None:
        super().__init__()
        self._growing = threading.Lock()
        self._is_stopped = False

    def add_task(self, task: Any) -> None:
        with self._growing:
            threads = len(self.threads)
            if not self._is_stopped and self.active_count + len(self.queue) >= threads < THREADS:
                self.set_thread_count(threads + 1)
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: int = STOP_SECONDS) -> Any:
        with self._growing:
            self._is_stopped = True  # a request that still arrives is not answered
        return super().shutdown(cancel_pending, timeout)


class Sandbox:
    """A running sandbox: `with Sandbox(SandboxOptions(customers=5)) as sandbox: …`.

    `port` 0 takes a free one. `plan` is the fault schedule, None: faults by the rates of the options. Raises
    `UsageError` for an address that others can reach, or a port in use.
    """

    def __init__(
        self,
        options: SandboxOptions | None = None,
        *,
        plan: FaultSchedule | None = None,
        clock: Clock | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        _require_loopback(host)
        self.service = Backend(options or SandboxOptions(), plan, clock or Clock())
        self._host = host
        self._port = port
        self._server: Any = None
        self._sockets: dict[int, Any] = {}
        self._thread: threading.Thread | None = None

    @property
    def options(self) -> SandboxOptions:
        """The options it runs with."""
        return self.service.options

    @property
    def root_url(self) -> str:
        """The address of the server, without a slash at its end: `http://127.0.0.1:8765`."""
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{self._port}"

    @property
    def base_url(self) -> str:
        """The address for `BULKUPDATE_BASE_URL`."""
        return f"{self.root_url}/rest/api"

    @property
    def requests(self) -> tuple[ReceivedRequest, ...]:
        """The requests received, oldest first; at most `kept_requests`."""
        return self.service.log.snapshot()

    @property
    def counts(self) -> dict[str, object]:
        """Counts of all requests, as in `/sandbox/counts`."""
        return self.service.log.count()

    def customer(self, customer_id: int | str) -> Customer | None:
        """Return the customer as stored, a rating as its code, an empty field as None; None if there is no such id."""
        return self.service.registry.read(int(customer_id))

    def changes(self) -> dict[int, Customer]:
        """Return, for each changed customer, the fields that were set, with their current values."""
        return self.service.registry.list_changes()

    def reset_log(self) -> None:
        """Delete the requests received so far; customers and tokens stay."""
        self.service.log.clear()

    def start(self) -> None:
        """Bind and serve; after `stop`, on the same port with the same customers and tokens."""
        self.service.stop.clear()
        listener = self._bind()
        self._port = int(listener.getsockname()[1])
        logging.getLogger("waitress.queue").setLevel(logging.ERROR)  # load tests fill the queue on purpose
        self._server = waitress.server.create_server(
            create_app(self.service), map=self._sockets, sockets=[listener], _dispatcher=_GrowingDispatcher(),
            connection_limit=2000, channel_timeout=600, channel_request_lookahead=1, asyncore_use_poll=True,
            ident="sandbox", max_request_body_size=LARGEST_BODY_BYTES, clear_untrusted_proxy_headers=True,
        )  # fmt: skip
        self._server.channel_class = _CuttableChannel
        self._thread = threading.Thread(target=self._server.run, name="sandbox", daemon=True)
        self._thread.start()

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        try:
            return socket.create_server((self._host, self._port), family=family)
        except OSError as error:
            raise UsageError(
                f"The sandbox cannot listen on {self._host}, port {self._port}: {describe_bind_error(error)}.",
                remedy="Choose another port, such as --port 8766.",
            ) from error

    def stop(self) -> None:
        """End all waiting, let the threads end, close every connection. May be called twice."""
        self.service.stop.set()
        if self._thread is None:
            return
        self._server.task_dispatcher.shutdown()
        with suppress(OSError):  # the loop may have closed everything already
            self._server.trigger.pull_trigger(lambda: wasyncore.close_all(self._sockets, ignore_all=True))
        self._thread.join(STOP_SECONDS)
        self._thread = None

    def __enter__(self) -> Sandbox:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve_forever(
    options: SandboxOptions,
    host: str,
    port: int,
    on_ready: Callable[[Sandbox], None],
    stop: threading.Event | None = None,
) -> None:
    """Serve until Ctrl-C, or until `stop` is set; `on_ready` gets the running sandbox. Raises as `Sandbox` does."""
    with Sandbox(options, host=host, port=port) as sandbox:
        on_ready(sandbox)
        try:
            ended = stop or threading.Event()
            while not ended.wait(STEP_SECONDS):
                pass
        except KeyboardInterrupt:
            return


def _require_loopback(host: str) -> None:
    """Raise `UsageError` for an address that others could reach."""
    if not is_loopback(host):
        raise UsageError(
            f"The sandbox listens on this machine only; {host} is not a loopback address.", remedy="Omit --host."
        )
