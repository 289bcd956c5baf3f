"""Read the OLE container of an .xls file, or of an encrypted .xlsx, with olefile.

xlrd can read the container too, but loops forever if a damaged one refers back to itself.
"""

from __future__ import annotations

import io
from pathlib import Path

import olefile


def read_stream(path: Path, *names: str) -> bytes:
    """Return the content of the first of these streams that exists.

    Raises `OSError` if the file cannot be read, `ValueError` if the container is damaged or has none of the streams.
    """
    file = io.BytesIO(path.read_bytes())
    try:
        with olefile.OleFileIO(file, raise_defects=olefile.DEFECT_INCORRECT) as container:
            name = next(name for name in names if container.exists(name))
            content: bytes = container.openstream(name).read()
            return content
    except Exception as error:  # a damaged file may cause any exception in olefile
        raise ValueError("the container is damaged") from error


def has_stream(path: Path, name: str) -> bool:
    """Return whether the container has a stream of this name; False if it is damaged."""
    try:
        with olefile.OleFileIO(path) as container:
            return bool(container.exists(name))
    except Exception:  # noqa: BLE001  # a damaged file may cause any exception in olefile
        return False
