"""Write log lines: one for each event, without characters that a terminal or a log reader would interpret.

Records carry `run`, `row` and `file` (`logging`'s `extra`) if they are about one. At the default level they hold no
customer data: no cell, no customer id, no answer of the service.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from bulkupdate.clock import format_utc
from bulkupdate.errors import UsageError
from bulkupdate.text import replace_controls

LOGGER = logging.getLogger("bulkupdate")
CONTEXT = ("run", "row", "file", "status", "http_status", "exit_code")
"""The attributes that a record may carry in addition to its message, in the order shown."""

_JSON_ONLY = ("night",)
"""Attributes that are objects: the text format has their message only."""

FILE_BYTES = 10_000_000
FILES_KEPT = 9
"""A log file that reaches its maximum size is renamed to `.1`, the previous one to `.2`, and so on."""

_OWN_START = re.compile(rb'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ |\{"time": ')
_START_BYTES = 64


def neutralise(text: str) -> str:
    r"""Return the text with each line break, control, direction and unprintable character as its escape (`\x1b`)."""
    return replace_controls(text, lambda character: character.encode("unicode_escape").decode())


class TextFormatter(logging.Formatter):
    """`2026-01-14T09:38:49Z INFO row not updated run=… row=12 status=rejected`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, whatever the record holds."""
        context = [f"{name}={_quote_value(value)}" for name, value in _read_context(record).items()]
        words = (format_utc(record.created), record.levelname, record.getMessage(), *context, _read_trace(self, record))
        return neutralise(" ".join(filter(None, words)))


class JsonFormatter(logging.Formatter):
    """One JSON object a line, ASCII only: `{"time": …, "level": …, "message": …, "run": …, "row": …}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, whatever the record holds."""
        fields = {"time": format_utc(record.created), "level": record.levelname, "message": record.getMessage()}
        trace = _read_trace(self, record)
        fields |= _read_context(record)
        fields |= {name: value for name in _JSON_ONLY if (value := getattr(record, name, None)) is not None}
        line = json.dumps({**fields, **({"trace": trace} if trace else {})})
        return line.replace("\x7f", "\\u007f")


class _PrivateFile(RotatingFileHandler):
    """A rotating log file that only its owner may read. A full disk costs a line, never the run."""

    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")

    def handleError(self, _record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Report on stderr, without a traceback, that a line was lost."""
        error = sys.exc_info()[1]
        sys.stderr.write(f"The log file cannot be written: {neutralise(str(error))}\n")


@contextmanager
def logging_to(path: Path | None, kind: str, level: str, *, quiet: bool) -> Iterator[None]:
    """Log to stderr and, unless it is None, to the file at `path`.

    `kind` is text or json, `level` is debug, info or warning. `quiet` shows only warnings and errors about files and
    nights on stderr, not those about rows; the file gets everything. Raises `UsageError` if it cannot be written, or is
    another kind of file.
    """
    screen = logging.StreamHandler(sys.stderr)
    if quiet:
        screen.setLevel(logging.WARNING)
        screen.addFilter(lambda record: not hasattr(record, "row"))
    handlers: list[logging.Handler] = [screen]
    if path is not None:
        _require_own(path)
        try:
            handlers.append(_PrivateFile(path, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8"))
        except OSError as error:
            raise UsageError(
                f"The log file {path} cannot be written: {error.strerror or error}.", remedy="Name another one."
            ) from error
    before = LOGGER.level, LOGGER.propagate
    LOGGER.setLevel(level.upper())
    LOGGER.propagate = False
    for handler in handlers:
        handler.setFormatter(JsonFormatter() if kind == "json" else TextFormatter())
        LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.setLevel(before[0])
        LOGGER.propagate = before[1]
        for handler in handlers:
            LOGGER.removeHandler(handler)
            with suppress(OSError):  # the lost line was reported when it was written
                handler.close()


def _require_own(path: Path) -> None:
    """Raise `UsageError` if the file is not a log of nightly runs: log lines would ruin a workbook."""
    start = b""
    with suppress(OSError):
        if path.is_file():
            with path.open("rb") as stream:
                start = stream.read(_START_BYTES)
    if start and not _OWN_START.match(start):
        raise UsageError(f"{path} exists, but is not a log of nightly runs.", remedy="Name another --log-file.")


def _read_context(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name in CONTEXT if (value := getattr(record, name, None)) is not None}


def _read_trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    return formatter.formatException(record.exc_info) if record.exc_info else ""


def _quote_value(value: object) -> str:
    """Return a value that cannot be mistaken for another `name=value`."""
    text = str(value)
    return text if text and not set(text) & set(' "=') else json.dumps(text, ensure_ascii=False)
