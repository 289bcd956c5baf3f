"""`undo` and `export`: sheets made of what customers held before, and of what they hold now."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bulkupdate.cli.console import Console, print_json
from bulkupdate.cli.options import common_options, make_settings, make_sheet_options, sheet_options
from bulkupdate.cli.planning import confirm_plan
from bulkupdate.cli.reading import open_parts, print_estimate, watch_reading
from bulkupdate.cli.sending import require_same_host, send
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.text import quote_argument

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bulkupdate.customers.payload import LiveCustomer
    from bulkupdate.runs.run_records import Run
    from bulkupdate.runs.runner import RunContext
    from bulkupdate.runs.undo_send import UndoComparison
    from bulkupdate.runs.undo_sheet import Restoration
    from bulkupdate.spreadsheets.writing.customer_sheet import Remark

_REMARKS_SHOWN = 10


@click.command("undo", short_help="Write a sheet that restores the previous values.")
@click.argument("run_id", metavar="RUN")
@click.option("-o", "output", type=click.Path(path_type=Path), help="Where the sheet goes (.xlsx or .csv).")
@click.option("--run", "is_run", is_flag=True, help="Send it too, after comparing with the live customers again.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@common_options
def undo_command(
    run_id: str, output: Path | None, is_run: bool, yes: bool, as_json: bool, quiet: bool, **given: Any
) -> int:
    """Write the sheet that gives the customers of RUN the values they had before. RUN must have been --snapshot.

    Sends nothing, unless --run: then each customer is compared again first, and one that someone has changed since is
    left alone.
    """
    console, settings = Console(quiet=quiet), make_settings(given)
    if not is_run:
        from bulkupdate.clock import Clock
        from bulkupdate.runs.journal import Journal

        with Journal(settings.state_dir, Clock()) as journal:
            run = journal.find_run(run_id)
            restorations = _find_restorations(run, journal, settings.state_dir)
            path = _write_sheet(run, restorations, output, console)
        return _end_without_sending(run, path, len(restorations), console, as_json=as_json)
    with open_parts(settings) as parts:
        run = parts.journal.find_run(run_id)
        require_same_host(run, parts)
        restorations = _find_restorations(run, parts.journal, settings.state_dir)
        path = _write_sheet(run, restorations, output, console)
        if path is None:
            return _end_without_sending(run, None, 0, console, as_json=as_json)
        return _send_undo(run, restorations, path, parts, console, yes=yes, as_json=as_json)


@click.command("export", short_help="Write live customers as a sheet to edit and upload again.")
@click.option("--ids", type=click.Path(path_type=Path), help="A sheet with the ids of the customers; without it: all.")
@click.option("--list-fields", is_flag=True, help="Only the fields of the list answer: fifty customers to a call.")
@click.option("-o", "output", type=click.Path(path_type=Path), help="Where the sheet goes (.xlsx or .csv).")
@sheet_options
@common_options
def export_command(
    ids: Path | None,
    list_fields: bool,
    output: Path | None,
    as_json: bool,
    quiet: bool,
    **given: Any,
) -> int:
    """Read live customers and write them as a sheet in the input format.

    All fields cost one call a customer; the program says how many before it reads them.
    """
    from bulkupdate.files import check_writable
    from bulkupdate.runs.customer_export import ALL_NAMES, LISTED_NAMES, make_export, read_ids
    from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet

    console, settings = Console(quiet=quiet), make_settings(given)
    settings.require_connection()
    path = output or Path(f"customers-export-{datetime.now():%Y%m%d-%H%M%S}.xlsx")
    check_writable(path)
    if ids is not None and path.resolve() == ids.resolve():
        raise UsageError(f"The export would overwrite {ids}.", remedy="Name another file with -o.")
    wanted = read_ids(ids, settings, make_sheet_options(given)) if ids is not None else None
    names = LISTED_NAMES if list_fields else ALL_NAMES
    with open_parts(settings) as parts:
        customers = _read(wanted, names, parts, console)
        calls = parts.client.calls
    if customers is None:
        console.info("Nothing was read.")
        return ExitCode.FILE_REFUSED
    export = make_export(customers, names)
    write_customer_sheet(path, names, export.rows, export.remarks)
    show_remarks(export.remarks, console)
    if export.unknown:
        console.info(f"Unknown to the service: {len(export.unknown):,} ids: {', '.join(export.unknown[:10])}")
    console.info(f"Export: {path}, {len(export.rows):,} customers, {calls:,} calls used.")
    command = f"bulkupdate run {quote_argument(path)} --only-changes"
    console.info(f"Edit it and send it: {command}")
    exit_code = ExitCode.INCOMPLETE if export.unknown else ExitCode.DONE
    if as_json:
        from bulkupdate.runs.run_report import report_sheet

        report = report_sheet(str(path), len(export.rows), calls, exit_code, path, command)
        print_json({**report.to_json(), "unknown": export.unknown})
    return exit_code


COMMANDS = (undo_command, export_command)


def _find_restorations(run: Run, journal: Any, state_dir: Path) -> list[Restoration]:
    from bulkupdate.runs.undo_sheet import find_restorations

    return find_restorations(journal, run, state_dir)


def _write_sheet(run: Run, restorations: Sequence[Restoration], output: Path | None, console: Console) -> Path | None:
    """Write the sheet and say what it cannot hold; None where there is nothing to put back."""
    from bulkupdate.files import check_writable
    from bulkupdate.runs.undo_sheet import make_undo_sheet
    from bulkupdate.spreadsheets.writing.customer_sheet import write_customer_sheet

    if not restorations:
        return None
    sheet = make_undo_sheet(restorations)
    path = output or Path(run.results_path).with_name(f"{Path(run.file).stem}-undo-{run.id}.xlsx")
    check_writable(path)
    if path.resolve() in (Path(run.file).resolve(), Path(run.results_path).resolve()):
        raise UsageError(f"The sheet would overwrite {path}.", remedy="Name another file with -o.")
    write_customer_sheet(path, sheet.names, sheet.rows, sheet.remarks)
    show_remarks(sheet.remarks, console)
    return path


def show_remarks(remarks: Sequence[Remark], console: Console) -> None:
    """Show what a sheet does not hold as it is."""
    for remark in remarks[:_REMARKS_SHOWN]:
        console.info(f"  note  customer {remark.customer_id}, {remark.field}: {remark.why}")
    if len(remarks) > _REMARKS_SHOWN:
        console.info(f"  … and {len(remarks) - _REMARKS_SHOWN:,} more such fields")


def _end_without_sending(run: Run, path: Path | None, rows: int, console: Console, *, as_json: bool) -> int:
    command = f"bulkupdate undo {run.id} --run" if path else None
    if path is None:
        console.info(f"Run {run.id} changed nothing that could be restored.")
    else:
        console.info(f"Undo sheet: {path}, {rows:,} customers. Nothing was sent.")
        console.info(f"To send it, after comparing again: {command}")
    if as_json:
        from bulkupdate.runs.run_report import report_sheet

        print_json(report_sheet(run.file, rows, 0, ExitCode.DONE, path, command).to_json())
    return ExitCode.DONE


def _send_undo(
    run: Run,
    restorations: Sequence[Restoration],
    path: Path,
    parts: RunContext,
    console: Console,
    *,
    yes: bool,
    as_json: bool,
) -> int:
    from bulkupdate.customers.models import Status
    from bulkupdate.runs.fetch import count_calls
    from bulkupdate.runs.results import default_results_path, require_results_place
    from bulkupdate.runs.runner import new_run_id
    from bulkupdate.runs.undo_send import begin_undo, count_comparing, recheck_live

    new_id = new_run_id(parts.clock.now())
    results = default_results_path(path, new_id)
    require_results_place(results, path)
    print_estimate(count_comparing(restorations), parts, console)
    with watch_reading(len(restorations), parts, console) as watch:
        compared = recheck_live(restorations, parts.client, parts.settings.concurrency, watch)
    _show_comparison(compared, console)
    count = sum(each.status is Status.NOT_ATTEMPTED for each in compared)
    read_back = count_calls(each.restored for each in compared if each.restored) if run.options.get("verify") else 0
    if not confirm_plan(count, parts, console, yes=yes, reading=read_back):
        console.info(f"Nothing was sent. The sheet is {path}.")
        return ExitCode.FILE_REFUSED
    undo = begin_undo(parts, run, new_id, compared, path, results)
    return send(undo, parts, console, limit=None, as_json=as_json)


def _show_comparison(compared: Sequence[UndoComparison], console: Console) -> None:
    from collections import Counter

    from bulkupdate.customers.models import Status

    counts = Counter(each.status for each in compared)
    console.info(
        f"To be put back: {counts[Status.NOT_ATTEMPTED]:,} customers. As before already: {counts[Status.UNCHANGED]:,}. "
        f"Changed by someone since, left alone: {counts[Status.REJECTED]:,}."
    )
    losses = sum(bool(each.losses) for each in compared)
    if losses:
        console.info(f"Customers with fields that cannot be put back: {losses:,}; the results name them.")


def _read(
    wanted: list[str] | None, names: tuple[str, ...], parts: RunContext, console: Console
) -> dict[str, LiveCustomer | None] | None:
    """Return the customers asked for, or all; None where a person finds it too dear."""
    from bulkupdate.runs.customer_export import list_everyone, read_customers, read_first_page
    from bulkupdate.runs.fetch import count_calls, is_listed

    concurrency = parts.settings.concurrency
    if wanted is not None:
        if not _is_worth_it(count_calls(names for _ in wanted), parts, console):
            return None
        with watch_reading(len(wanted), parts, console) as watch:
            return read_customers(parts.client, wanted, names, concurrency, watch)
    first = read_first_page(parts.client)
    if not _is_worth_it(first.count_calls(names), parts, console):
        return None
    with watch_reading(first.total, parts, console) as watch:
        listed = list_everyone(parts.client, first, concurrency)
        if is_listed(names):
            return dict(listed)
        return read_customers(parts.client, listed, names, concurrency, watch)


def _is_worth_it(calls: int, parts: RunContext, console: Console) -> bool:
    """Say what it costs, and ask a person where it would wait for quota; a scheduler is not asked."""
    import sys

    return print_estimate(calls, parts, console) or console.confirm(
        "That is more than the quota has left now, so it will wait. Continue?", yes=not sys.stdin.isatty()
    )
