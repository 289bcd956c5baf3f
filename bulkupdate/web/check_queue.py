"""The checks at work: few at a time, one for each person, so that nobody's large file keeps the others waiting."""

from __future__ import annotations

import multiprocessing
import multiprocessing.forkserver as forkserver
import os
import threading
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess

from bulkupdate.web.check_store import keep_refusal, read_outcome
from bulkupdate.web.check_worker import SECONDS, TOO_LARGE, Task, work_within_limits

AT_A_TIME = 2
_PRELOADED = ["bulkupdate.web.check_worker", "bulkupdate.spreadsheets.writing.annotated_copy"]
_ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS")


@dataclass
class _Waiting:
    person: str
    task: Task
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def key(self) -> tuple[str, bool]:
        return self.task.upload.id, self.task.is_report


class Checks:
    """A queue before a few processes. Thread-safe.

    A process is made by forking one that has the libraries loaded already (multiprocessing's "forkserver"), so that a
    small file is checked at once.
    """

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(_PRELOADED)
        self._queue: list[_Waiting] = []
        self._running: list[_Waiting] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"checks-{number}", daemon=True) for number in range(AT_A_TIME)
        ]

    def start(self) -> None:
        """Load the libraries and take up work."""
        for name in _ONE_THREAD:  # a check needs one processor, and threads would count against its memory
            os.environ.setdefault(name, "1")
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
        forkserver.ensure_running()
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Take up nothing more; what is at work ends by itself or with the process."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def submit(self, person: str, task: Task) -> threading.Event:
        """Have it done, once however often it is asked for; the event is set when it is."""
        with self._changed:
            wanted = _Waiting(person, task)
            for known in (*self._running, *self._queue):
                if known.key == wanted.key:
                    return known.done
            self._queue.append(wanted)
            self._changed.notify_all()
            return wanted.done

    def _work(self) -> None:
        while (waiting := self._take()) is not None:
            try:
                self._run(waiting.task)
            finally:
                with self._changed:
                    self._running.remove(waiting)
                    self._changed.notify_all()
                waiting.done.set()

    def _take(self) -> _Waiting | None:
        """Return the next check of a person for whom none is running; None once the queue is closed."""
        with self._changed:
            while not self._is_closed:
                busy = {each.person for each in self._running}
                for waiting in self._queue:
                    if waiting.person not in busy:
                        self._queue.remove(waiting)
                        self._running.append(waiting)
                        return waiting
                self._changed.wait()
        return None

    def _run(self, task: Task) -> None:
        process: ForkServerProcess = self._context.Process(target=work_within_limits, args=(task,), daemon=True)
        process.start()
        process.join(SECONDS + 5)
        if process.is_alive():
            process.kill()
            process.join()
        if process.exitcode and not task.is_report and read_outcome(task.upload.folder) is None:
            keep_refusal(task.upload.folder, *TOO_LARGE)
