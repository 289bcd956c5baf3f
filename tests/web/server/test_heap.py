"""The server's threads share a heap, and garbage does not wait in it."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from tests.warm import PROJECT

_COUNT_HEAPS = """
import sys, threading
from bulkupdate.web.server.heap import keep_heap_small
if sys.argv[1] == "shared":
    keep_heap_small()
barrier = threading.Barrier(4)
kept = []
def allocate():
    kept.append([bytearray(1000 + size) for size in range(100)])
    barrier.wait()
threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads: thread.start()
for thread in threads: thread.join()
reserved = 0
for line in open("/proc/self/maps"):
    area, rights = line.split()[:2]
    begin, end = (int(place, 16) for place in area.split("-"))
    reserved += rights == "---p" and 32 << 20 < end - begin <= 64 << 20
print(reserved)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no heaps of threads")
def test_threads_reserve_no_heap_of_their_own() -> None:
    """The GNU C library reserves 64 MiB of addresses for each."""
    heaps = {}
    for how in ("own", "shared"):
        command = [sys.executable, "-c", _COUNT_HEAPS, how]
        told = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True)
        heaps[how] = int(told.stdout)
    assert heaps["own"] > 0
    assert heaps["shared"] == 0


def test_a_server_does_not_collect_garbage_as_seldom_as_a_command_does() -> None:
    code = (
        "import gc; from bulkupdate.web.server.heap import keep_heap_small; "
        "gc.set_threshold(200_000); keep_heap_small(); print(gc.get_threshold()[0])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, check=True, capture_output=True, text=True)
    assert 0 < int(told.stdout) < 10_000
