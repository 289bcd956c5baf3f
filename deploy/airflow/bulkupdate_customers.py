"""Check and send a sheet of customers, as an Airflow DAG (2.8 and later, and 3) on `import bulkupdate`.

The tasks run in bulkupdate's own virtual environment, so its libraries and Airflow's need not agree. The settings are
those of the worker: BULKUPDATE_… variables, or the settings file of its user.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pendulum

try:
    from airflow.sdk import dag, task
except ImportError:  # Airflow 2
    from airflow.decorators import dag, task

PYTHON = "/opt/bulkupdate/.venv/bin/python"


@dag(
    schedule="0 22 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,
    max_active_runs=1,
    params={"source": "/srv/bulkupdate/customers.parquet"},  # a path or an address
)
def bulkupdate_customers() -> None:
    """Send nothing unless every row is valid."""

    @task.external_python(python=PYTHON, expect_airflow=False)
    def check(source: str) -> dict[str, Any]:
        import bulkupdate

        checked = bulkupdate.check(source)
        if checked.exit_code != 0:
            raise ValueError(f"Nothing was sent.\n{checked.problems.head(20).to_string()}")
        return {"rows": len(checked.results), "counts": checked.counts}

    @task.external_python(
        python=PYTHON,
        expect_airflow=False,
        retries=3,
        retry_delay=timedelta(minutes=10),
        execution_timeout=timedelta(hours=9),
    )
    def send(source: str, run_key: str) -> dict[str, Any]:
        import bulkupdate

        sent = bulkupdate.run(source, run_key=run_key)  # a retry with the same key continues the run
        if sent.exit_code > 1:  # 1: some rows were rejected; they are in the to-fix file
            raise RuntimeError(f"{sent.error or sent.problems.head(20).to_string()}")
        written = {"results": sent.results_path, "to_fix": sent.to_fix_path}
        paths = {name: str(path) for name, path in written.items() if path}
        return {"run": sent.run_id, "counts": sent.counts, "requests": sent.requests, **paths}

    source = "{{ params.source }}"
    check(source) >> send(source, run_key="airflow {{ run_id }}")


bulkupdate_customers()
