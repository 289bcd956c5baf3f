"""`bulkupdate nightly` as an Airflow DAG (2.4 and later, and 3)."""

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
    description="Send the customer sheets in /srv/bulkupdate/inbox",
    schedule="0 22 * * *",
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Berlin"),
    catchup=False,  # files of a missed night wait in the folder
    max_active_runs=1,
) as dag:
    BashOperator(
        task_id="nightly",
        bash_command=COMMAND,
        do_xcom_push=True,  # the last line: the summary of the night as JSON
        retries=0,  # the next night continues; a retry after 06:00 would run until the next morning
        execution_timeout=timedelta(hours=9),
        skip_on_exit_code=[5],  # another process is working on the folder
    )
