"""The audit log for administrators: who signed in, and who started, stopped or downloaded what; no contents."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from bulkupdate.clock import Clock, format_utc
from bulkupdate.text import fold_whitespace, truncate

log = logging.getLogger("bulkupdate.web")

AUDIT_FILE = "audit.jsonl"
MAX_BYTES = 10 << 20
_MAX_TEXT = 200


class AuditLog:
    """Appends one JSON object a line to a private file; a full file is kept once under the name `.1`. Thread-safe."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        self.path = state_dir / "web" / AUDIT_FILE
        self._clock = clock
        self._lock = threading.Lock()

    def record(self, event: str, *, user: str = "", address: str = "", about: str = "") -> None:
        """Write down an event. `about` is the id of a run or sheet, or the user it was done to. Never raises."""
        entry = {"at": format_utc(self._clock.now()), "event": event, "user": user, "address": address, "about": about}
        line = json.dumps({key: truncate(fold_whitespace(value), _MAX_TEXT) for key, value in entry.items() if value})
        try:
            with self._lock:
                self._append(f"{line}\n".encode())
        except OSError as unwritable:
            log.error("the audit log cannot be written: %s", unwritable.strerror)

    def _append(self, line: bytes) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.path.exists() and self.path.stat().st_size > MAX_BYTES:
            self.path.replace(self.path.with_suffix(".jsonl.1"))
        self.path.touch(mode=0o600)
        with self.path.open("ab") as file:
            file.write(line)
