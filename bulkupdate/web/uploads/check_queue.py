"""The queue of checks: a few at a time and one per user, so that a large file does not keep other users waiting."""

from __future__ import annotations

import multiprocessing
import os
import threading
from dataclasses import dataclass, field
from typing import Any

try:
    from multiprocessing import forkserver
except ImportError:  # Windows
    forkserver = None  # type: ignore[assignment]  # None: not available

from bulkupdate.web.uploads.check_outcome import read_outcome, save_refusal
from bulkupdate.web.uploads.check_worker import MAX_SECONDS, TOO_LARGE, CheckTask, work_within_limits
from bulkupdate.web.uploads.upload_scan import scan

SMALL_BYTES = 1 << 20
CONCURRENT_CHECKS = 3
"""Of these, one is kept free for files of up to `SMALL_BYTES`."""

_PRELOADED = ["bulkupdate.web.uploads.check_libraries"]
_CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()  # not on Windows, where each check loads them
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS")


@dataclass
class _QueuedTask:
    user_key: str
    task: CheckTask
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def is_small(self) -> bool:
        """Whether the file is small."""
        try:
            return self.task.upload.path.stat().st_size <= SMALL_BYTES
        except OSError:  # it was deleted, as the check will report
            return True

    @property
    def key(self) -> tuple[str, int, bool]:
        return self.task.upload.id, self.task.upload.revision, self.task.is_report


class CheckQueue:
    """A queue for a few worker processes. Thread-safe.

    A worker is forked from a process that has already loaded the libraries (multiprocessing's "forkserver"), so a small
    file is checked immediately.
    """

    def __init__(self) -> None:
        self._context: Any = multiprocessing.get_context("forkserver" if _CAN_FORK else "spawn")
        if _CAN_FORK:
            self._context.set_forkserver_preload(_PRELOADED)
        self._queue: list[_QueuedTask] = []
        self._running: list[_QueuedTask] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"checks-{number}", daemon=True)
            for number in range(CONCURRENT_CHECKS)
        ]

    def start(self) -> None:
        """Load the libraries and start the workers."""
        for name in _ONE_THREAD:  # a check needs one core, and threads would count against its memory limit
            os.environ.setdefault(name, "1")
        if _CAN_FORK:
            forkserver.ensure_running()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Start no further check; those that are running end by themselves or with the server."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def submit(self, user_key: str, task: CheckTask) -> threading.Event:
        """Queue a task, unless it is queued already, and return the event that is set when it is done."""
        with self._changed:
            new = _QueuedTask(user_key, task)
            for queued in (*self._running, *self._queue):
                if queued.key == new.key:
                    return queued.done
            self._queue.append(new)
            self._changed.notify_all()
            return new.done

    def _work(self) -> None:
        while (queued := self._take()) is not None:
            try:
                self._run(queued.task)
            finally:
                with self._changed:
                    self._running.remove(queued)
                    self._changed.notify_all()
                queued.done.set()

    def _take(self) -> _QueuedTask | None:
        """Return the next task that may run; None once the queue is closed."""
        with self._changed:
            while not self._is_closed:
                for queued in self._queue:
                    if self._may_run(queued):
                        self._queue.remove(queued)
                        self._running.append(queued)
                        return queued
                self._changed.wait()
        return None

    def _may_run(self, queued: _QueuedTask) -> bool:
        """Return whether the user has none running and, for a large file, whether a worker is left for small ones."""
        if any(running.user_key == queued.user_key for running in self._running):
            return False
        return queued.is_small or sum(not running.is_small for running in self._running) < CONCURRENT_CHECKS - 1

    def _run(self, task: CheckTask) -> None:
        files = () if task.is_report else task.upload.files
        refusal = next(filter(None, (scan(task.settings.scan_command, file) for file in files)), None)
        if refusal is not None:
            save_refusal(task.upload, *refusal)
            return
        process = self._context.Process(target=work_within_limits, args=(task,), daemon=True)
        process.start()
        process.join(MAX_SECONDS + 5)
        if process.is_alive():
            process.kill()
            process.join()
        if process.exitcode and not task.is_report and read_outcome(task.upload) is None:
            save_refusal(task.upload, *TOO_LARGE)
