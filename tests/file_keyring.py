"""A keyring in a file that the environment names, as keyrings of other systems are: PYTHON_KEYRING_BACKEND names it."""

from __future__ import annotations

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked


class FileKeyring(KeyringBackend):
    """Keeps passwords in the file FILE_KEYRING. A folder in its place is a locked keyring."""

    priority = 1  # type: ignore[assignment]  # as keyring's own backends do

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service}|{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path.write_text(json.dumps(self._read() | {f"{service}|{username}": password}))

    @property
    def _path(self) -> Path:
        return Path(os.environ["FILE_KEYRING"])

    def _read(self) -> dict[str, str]:
        if self._path.is_dir():
            raise KeyringLocked("secret detail")
        return json.loads(self._path.read_text()) if self._path.exists() else {}
