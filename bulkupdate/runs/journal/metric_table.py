"""The figures of the last night of each folder, for the page's `/metrics`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from bulkupdate.prometheus_text import Metric
from bulkupdate.store.journal_table import JournalTable

_KEEP = """
INSERT INTO night_metrics (folder, metrics) VALUES (?, ?)
ON CONFLICT (folder) DO UPDATE SET metrics = excluded.metrics
"""


class MetricTable(JournalTable):
    """The figures of nights."""

    def keep_metrics(self, folder: str, metrics: Sequence[Metric]) -> None:
        """Keep the figures of the folder's last night, in place of those before."""
        self.execute(_KEEP, folder, json.dumps([asdict(metric) for metric in metrics]))

    def find_metrics(self, folder: str | None = None) -> list[Metric]:
        """Return the figures of the last night of a folder; None: of every folder."""
        found = self.select("SELECT metrics FROM night_metrics WHERE folder = coalesce(?, folder)", (folder,))
        return [Metric(**fields) for (metrics,) in found for fields in json.loads(metrics)]
