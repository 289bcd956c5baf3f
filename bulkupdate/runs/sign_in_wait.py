"""Sign in while the user watches: this may have to wait for the quota for up to an hour."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from bulkupdate.runs.sender import LOOK_SECONDS
from bulkupdate.sellercloud.client import Client
from bulkupdate.sellercloud.rate_limit import WaitState


def sign_in(client: Client, stop: threading.Event, watch: Callable[[WaitState | None], None]) -> None:
    """Sign in, and tell `watch` several times a second what is waited for. Raises what `Client.sign_in` raises."""
    with ThreadPoolExecutor(1, thread_name_prefix="sign-in") as pool:
        signing_in = pool.submit(client.sign_in)
        try:
            while not wait([signing_in], timeout=LOOK_SECONDS).done:
                watch(client.quota.waiting)
        except BaseException:
            stop.set()
            raise
        signing_in.result()
