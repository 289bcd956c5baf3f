"""One invocation of the program: its console and settings, and how it ends if it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bulkupdate.cli.console import Console, print_json
from bulkupdate.clock import Clock
from bulkupdate.errors import BulkUpdateError, InternalError, ReaderBugError
from bulkupdate.settings import SECRETS, Settings
from bulkupdate.text import SuggestedCommand


@dataclass
class Invocation:
    """What every command needs: click's `obj`, filled by `common_options`.

    The arguments are those on the command line that a suggested command repeats: `sheet_arguments` say how the file is
    read.
    """

    as_json: bool = False
    file: str | None = None
    run_id: str | None = None
    force: bool = False
    common_arguments: tuple[str | Path, ...] = ()
    sheet_arguments: tuple[str | Path, ...] = ()
    run_arguments: tuple[str | Path, ...] = ()
    console: Console = field(default_factory=lambda: Console(quiet=False))
    settings: Settings = field(default_factory=Settings)

    def suggest(self, *arguments: str | Path) -> SuggestedCommand:
        """Return the next command, with the options that hold for every command."""
        return SuggestedCommand(*arguments, *self.common_arguments)

    def repeat_options(self, command: SuggestedCommand | None) -> SuggestedCommand | None:
        """Return the command that continues a run, with the options that hold for every command; None stays None."""
        return command and self.suggest(*command.arguments)

    def report(self, error: BulkUpdateError) -> int:
        """Show an error, with `--json` also as the one object on stdout; return the exit code."""
        if isinstance(error, ReaderBugError):
            error.remedy = f"{error.remedy}{self._keep_trace(error)}"
        try:
            self.print_json_error(error, as_json=self.as_json)
        finally:
            self.console.error(error)
        return int(error.exit_code)

    def print_json_error(self, error: BulkUpdateError, *, as_json: bool) -> None:
        """Print the one object of `--json` for an invocation that failed."""
        if as_json:
            from bulkupdate.runs.reporting.run_report import report_failure  # loads much that a command may do without

            print_json(report_failure(error, self.file, self.run_id).to_json())

    def explain_bug(self, error: BaseException) -> InternalError:
        """Return an unexpected error as one for users; its traceback is saved in the state folder.

        The message names only the type of the error, whose text may contain customer data.
        """
        kept = self._keep_trace(error)
        return InternalError(
            f"The program itself failed ({type(error).__name__}): this is a bug in it, not in your file.",
            remedy=f"What was sent is in the journal; `bulkupdate resume` continues a run it stopped.{kept}",
        )

    def _keep_trace(self, error: BaseException) -> str:
        """Save a traceback, readable by its owner only. Return a sentence that names the file, empty if that failed."""
        passwords = [getattr(self.settings, name).reveal() for name in SECRETS]
        try:
            from bulkupdate.crash_report import save_crash_report  # only a bug needs what it loads

            place = save_crash_report(self.settings.state_dir, error, passwords, Clock())
        except Exception:  # noqa: BLE001 - whatever prevents the report, the sentence must still be shown
            return ""
        return f" Please send {place} to your administrator."
