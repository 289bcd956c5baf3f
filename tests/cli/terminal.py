"""A call of the program on a terminal, for tests."""

from __future__ import annotations

import os
import select
import struct
import time
from collections.abc import Callable
from contextlib import suppress

import pytest

from tests.warm import share_warm_program

fcntl, pty, termios = (pytest.importorskip(name) for name in ("fcntl", "pty", "termios"))


class Terminal:
    """A call of the program whose stdin and stderr are a terminal."""

    def __init__(self, program, *arguments):
        self._own, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        name = os.ttyname(theirs)
        self.process = share_warm_program().start(program.folder, program.environment, *arguments, stdin=name, err=name)
        os.close(theirs)
        self.shown = ""

    def read_until(self, is_enough: Callable[[str], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not is_enough(self.shown) and time.monotonic() < end:
            if not select.select([self._own], [], [], 0.2)[0]:
                continue
            try:
                self.shown += os.read(self._own, 4096).decode()
            except OSError:  # the other side is closed
                return

    def type(self, text: str) -> None:
        os.write(self._own, text.encode())

    def finish(self) -> int:
        self.read_until(lambda _: False)
        return self.process.wait(30)

    def close(self) -> None:
        with suppress(OSError):
            os.close(self._own)
