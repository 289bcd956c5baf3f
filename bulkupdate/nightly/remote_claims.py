"""The claims on files of a folder elsewhere, each recorded here before its file is moved there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from bulkupdate.files import replace_file


@dataclass(frozen=True)
class Claim:
    """A file that was claimed: its name in inbox/ and its version there, and its name in working/.

    `received` is its version in working/ when it was copied, empty before.
    """

    run_id: str
    name: str
    version: str
    working_name: str
    received: str = ""


@dataclass(frozen=True)
class ClaimRecords:
    """The records, one file each in `folder`."""

    folder: Path

    def list_all(self) -> Iterator[Claim]:
        """Yield the claims that are recorded, oldest first."""
        for path in sorted(self.folder.glob("claim-*.json")):
            yield Claim(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, claim: Claim) -> None:
        """Record a claim, in place of what was recorded of it."""
        with replace_file(self._place(claim)) as stream:
            stream.write(json.dumps(asdict(claim)).encode())

    def remove(self, claim: Claim) -> None:
        """Delete the record of a claim."""
        self._place(claim).unlink()

    def find_time(self, claim: Claim) -> float:
        """Return when the claim was recorded, in seconds since 1970."""
        return self._place(claim).stat().st_mtime

    def _place(self, claim: Claim) -> Path:
        return self.folder / f"claim-{claim.run_id}.json"
