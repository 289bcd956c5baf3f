"""Sign in and report what is waited for: waiting for quota may take up to an hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from bulkupdate.runs.sending.sender import POLL_SECONDS
from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import WaitState


def sign_in(client: Client, stop: threading.Event, watch: Callable[[WaitState | None], None]) -> None:
    """Sign in, and call `watch` several times a second with what is waited for. Raises what `Client.sign_in` raises."""
    with ThreadPoolExecutor(1, thread_name_prefix="sign-in") as pool:
        signing_in = pool.submit(client.sign_in)
        try:
            while not wait([signing_in], timeout=POLL_SECONDS).done:
                watch(client.quota.waiting)
        except BaseException:
            stop.set()
            raise
        signing_in.result()
