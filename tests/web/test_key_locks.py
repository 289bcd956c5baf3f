"""Locks by key: what is done to one sheet does not wait for what is done to another."""

from __future__ import annotations

import threading

from bulkupdate.web.key_locks import KeyLocks


def test_only_the_same_key_waits() -> None:
    locks, entered = KeyLocks(), {key: threading.Event() for key in ("same", "other")}

    def enter(key: str) -> None:
        with locks.hold(key):
            entered[key].set()

    threads = [threading.Thread(target=enter, args=(key,)) for key in entered]
    with locks.hold("same"):
        for thread in threads:
            thread.start()
        assert entered["other"].wait(5)
        assert not entered["same"].wait(0.05)
    for thread in threads:
        thread.join(5)
    assert entered["same"].is_set()
