"""The journal: each row's intent before its request, its outcome after. It is the authority on what happened.

A row's intent *is* the status `unknown` ("sent, no answer"), so that the journal is consistent after a crash at any
moment, without recovery; its outcome replaces that.
"""

from __future__ import annotations

from bulkupdate.runs.journal.confirmation_table import ConfirmationTable
from bulkupdate.runs.journal.row_table import RowTable
from bulkupdate.runs.journal.run_table import RunTable
from bulkupdate.runs.journal.search_table import SearchTable
from bulkupdate.runs.journal.snapshot_table import SnapshotTable


class Journal(RunTable, RowTable, SnapshotTable, ConfirmationTable, SearchTable):
    """One database for all runs of a state folder. Each thread opens its own.

    Every method raises `JournalError` if the file cannot be written or read.
    """


class UncheckedJournal(Journal):
    """A journal for reading a few rows: its pages are not all checked, which takes long with millions."""

    def _prepare(self) -> None:
        """Check nothing."""
