"""Limits of a check's process: on POSIX as they act, on Windows as they would be asked for."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from typing import Any

import pytest

from bulkupdate.web.uploads import process_limits

GREEDY = """
from bulkupdate.web.uploads.process_limits import limit_process
limit_process({max_bytes}, {max_seconds}, 1)
{work}
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
@pytest.mark.parametrize(("work", "ended"), [("bytearray(200 << 20)", 1), ("while True: pass", -14), ("", 0)])
def test_a_process_that_takes_more_ends(work: str, ended: int) -> None:
    program = GREEDY.format(max_bytes=100 << 20, max_seconds=1, work=work)
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False, timeout=20)
    assert process.returncode == ended
    assert (b"MemoryError" in process.stderr) == (ended == 1)


class Kernel:
    """Records what Windows would be asked for."""

    def __init__(self, accepts: bool) -> None:
        self.limits: Any = None
        self.CreateJobObjectW = _Function(lambda *_: 11)
        self.GetCurrentProcess = _Function(lambda: -1)
        self.SetInformationJobObject = _Function(self._set)
        self.AssignProcessToJobObject = _Function(lambda *_: accepts)

    def _set(self, _job: object, kind: int, limits: Any, size: int) -> bool:
        self.limits = limits._obj
        assert (kind, size) == (9, ctypes.sizeof(self.limits))
        return True


class _Function:
    def __init__(self, call: Any) -> None:
        self._call = call
        self.restype: Any = None

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


def test_the_job_object_is_asked_for_memory_and_time() -> None:
    kernel = Kernel(accepts=True)
    process_limits._limit_by_job(640 << 20, 90, kernel)
    assert ctypes.sizeof(kernel.limits) == 144  # as the SDK for 64 bits has it
    assert kernel.limits.process_memory_limit == 640 << 20
    assert kernel.limits.basic.per_process_user_time_limit == 900_000_000
    assert kernel.limits.basic.limit_flags == 0x2102


def test_limits_that_are_refused_end_the_check() -> None:
    with pytest.raises(OSError, match="refuses the limits"):
        process_limits._limit_by_job(1, 1, Kernel(accepts=False))
