"""Limits on memory and time of the current process: by the kernel on POSIX, by a Job Object on Windows."""

from __future__ import annotations

import ctypes
import os
import signal
from typing import Any

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]  # None: not available

_LIMIT_PROCESS_TIME = 0x0000_0002
_LIMIT_PROCESS_MEMORY = 0x0000_0100
_KILL_ON_JOB_CLOSE = 0x0000_2000
_EXTENDED_LIMIT_INFORMATION = 9
_TICKS_PER_SECOND = 10_000_000


def limit_process(max_bytes: int, max_seconds: int, niceness: int) -> None:
    """Limit what the process may use from now on, and lower its priority. Raises `OSError` if that is refused.

    On POSIX the time is that of the clock, on Windows that of the processor: there the parent watches the clock.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which ends this process
    if resource is None:
        _limit_by_job(max_bytes, max_seconds)
        return
    signal.alarm(max_seconds)  # ends this process even if the server has been killed
    os.nice(niceness)
    resource.setrlimit(resource.RLIMIT_DATA, (max_bytes, max_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


class _BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("per_process_user_time_limit", ctypes.c_int64),
        ("per_job_user_time_limit", ctypes.c_int64),
        ("limit_flags", ctypes.c_uint32),
        ("minimum_working_set_size", ctypes.c_size_t),
        ("maximum_working_set_size", ctypes.c_size_t),
        ("active_process_limit", ctypes.c_uint32),
        ("affinity", ctypes.c_size_t),
        ("priority_class", ctypes.c_uint32),
        ("scheduling_class", ctypes.c_uint32),
    )


class _ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("basic", _BasicLimits),
        ("io_counters", ctypes.c_uint64 * 6),
        ("process_memory_limit", ctypes.c_size_t),
        ("job_memory_limit", ctypes.c_size_t),
        ("peak_process_memory_used", ctypes.c_size_t),
        ("peak_job_memory_used", ctypes.c_size_t),
    )


def _limit_by_job(max_bytes: int, max_seconds: int, kernel: Any = None) -> None:
    """Put this process into a Job Object with these limits; the handle stays open as long as the process lives."""
    kernel = kernel or ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined]  # Windows only
    kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = ctypes.c_void_p
    job, process = ctypes.c_void_p(kernel.CreateJobObjectW(None, None)), ctypes.c_void_p(kernel.GetCurrentProcess())
    limits = _ExtendedLimits()
    limits.basic.limit_flags = _LIMIT_PROCESS_TIME | _LIMIT_PROCESS_MEMORY | _KILL_ON_JOB_CLOSE
    limits.basic.per_process_user_time_limit = max_seconds * _TICKS_PER_SECOND
    limits.process_memory_limit = max_bytes
    size = ctypes.sizeof(limits)
    if not (
        kernel.SetInformationJobObject(job, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), size)
        and kernel.AssignProcessToJobObject(job, process)
    ):
        raise OSError("Windows refuses the limits of a check.")
