"""The queue of checks: a few at a time and one per user, so that a large file does not keep other users waiting."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver as forkserver
import os
import threading
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess

from bulkupdate.web.check_store import read_outcome, save_refusal
from bulkupdate.web.check_worker import MAX_SECONDS, TOO_LARGE, Task, work_within_limits

CONCURRENT_CHECKS = 2
_PRELOADED = ["bulkupdate.web.check_worker", "bulkupdate.spreadsheets.writing.annotated_copy"]
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS")


@dataclass
class _QueuedTask:
    user_key: str
    task: Task
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[str, bool]:
        return self.task.upload.id, self.task.is_report


class CheckQueue:
    """A queue for a few worker processes. Thread-safe.

    A worker is forked from a process that has already loaded the libraries (multiprocessing's "forkserver"), so a small
    file is checked immediately.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
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
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        forkserver.ensure_running()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Start no further check; those that are running end by themselves or with the server."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def submit(self, user_key: str, task: Task) -> threading.Event:
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
        while (waiting := self._take()) is not None:
            try:
                self._run(waiting.task)
            finally:
                with self._changed:
                    self._running.remove(waiting)
                    self._changed.notify_all()
                waiting.done.set()

    def _take(self) -> _QueuedTask | None:
        """Return the next task of a user who has none running; None once the queue is closed."""
        with self._changed:
            while not self._is_closed:
                busy = {running.user_key for running in self._running}
                for waiting in self._queue:
                    if waiting.user_key not in busy:
                        self._queue.remove(waiting)
                        self._running.append(waiting)
                        return waiting
                self._changed.wait()
        return None

    def _run(self, task: Task) -> None:
        process: ForkServerProcess = self._context.Process(target=work_within_limits, args=(task,), daemon=True)
        process.start()
        process.join(MAX_SECONDS + 5)
        if process.is_alive():
            process.kill()
            process.join()
        if process.exitcode and not task.is_report and read_outcome(task.upload.folder) is None:
            save_refusal(task.upload.folder, *TOO_LARGE)
