"""The journal: each row's intent before its request, its outcome after. It is the authority on what happened.

A row's intent *is* the status `unknown` ("sent, no answer"), so that the journal is consistent after a crash at any
moment, without recovery; its outcome replaces that.
"""

from __future__ import annotations

from bulkupdate.runs.journal.confirmation_table import ConfirmationTable
from bulkupdate.runs.journal.fact_table import FactTable
from bulkupdate.runs.journal.metric_table import MetricTable
from bulkupdate.runs.journal.refusal_table import RefusalTable
from bulkupdate.runs.journal.search_table import SearchTable
from bulkupdate.runs.journal.snapshot_table import SnapshotTable


class Journal(RefusalTable, SnapshotTable, ConfirmationTable, SearchTable, FactTable, MetricTable):
    """One database for all runs of a state folder. Each thread opens its own.

    Opening it checks the whole file, which takes long with millions of rows; `checks_pages=False` leaves that out, for
    reading a few rows. Every method raises `JournalError` if the file cannot be written or read.
    """
