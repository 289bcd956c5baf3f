"""The nightly call as an Airflow DAG (2.4 and later, and 3)."""

from __future__ import annotations

from datetime import timedelta

import pendulum

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

COMMAND = (
    "set -a && . /etc/bulkupdate/nightly.env && "
    "exec /opt/bulkupdate/.venv/bin/bulkupdate nightly /srv/bulkupdate --until 06:00 --json"
)

with DAG(
    dag_id="bulkupdate_nightly",
    description="Send the customer sheets that wait in /srv/bulkupdate",
    schedule="0 22 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,  # the folder keeps what a missed night left
    max_active_runs=1,
) as dag:
    BashOperator(
        task_id="nightly",
        bash_command=COMMAND,
        retries=0,  # the next night goes on; a retry after 06:00 would run until the next morning
        execution_timeout=timedelta(hours=9),
        skip_on_exit_code=[5],  # another call is at work on the folder
    )
