"""Messages on the page: no options of the command line, no settings, no paths of the server."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook

from bulkupdate.runs.tenant.profile import REBUILT
from bulkupdate.sandbox.faults import ScheduledFaults
from bulkupdate.sandbox.server import Sandbox
from bulkupdate.sandbox.switches import SandboxOptions
from bulkupdate.web.page_words import say_on_page
from tests.web.conftest import LOGINS
from tests.web.served import Server, Visitor, path_of

STATE = Path("/srv/bulk update/state")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            f"The journal {STATE}/journal.sqlite3 cannot be written: the disk is full. No further row was sent.",
            "The journal cannot be written: the disk is full. No further row was sent.",
        ),
        (
            "Write it with a point, or use --decimal ,.",
            "Write it with a point, or choose “comma” under “How to read the file” and upload it again.",
        ),
        ("Split it into several files, or raise the limit: BULKUPDATE_MAX_ROWS.", "Split it into several files."),
        (
            "If a hidden sheet is meant, name it: `--sheet Prices`.",
            "If a hidden sheet is meant, name it under “How to read the file” and upload it again.",
        ),
        (
            "Say which one is meant: `--sheet \"My sheet\"`.",
            "Name the sheet under “How to read the file” and upload it again.",
        ),
        (
            "Or name its encoding, for example --encoding cp1250 (Central Europe) or cp1251 (Cyrillic).",
            "Or choose its encoding under “How to read the file” and upload it again.",
        ),
        ("Check BULKUPDATE_BASE_URL: it looks odd.", ""),
        ("All is well. Continue with `bulkupdate resume`.", "All is well."),
        (REBUILT, "The service has changed since it was probed: your administrator should probe it again."),
    ],
)  # fmt: skip
def test_words_of_the_page(text: str, shown: str) -> None:
    assert say_on_page(text, STATE) == shown


def test_every_remedy_of_the_program_is_free_of_options_and_settings() -> None:
    """All texts of the packages that read and check a sheet, and that send a run."""
    package = Path(__file__).parents[2] / "bulkupdate"
    texts = [
        text
        for folder in ("spreadsheets/reading", "customers", "sellercloud", "store", "runs")
        for module in (package / folder).rglob("*.py")
        for text in re.findall(r'"([^"\n]{20,})"', module.read_text(encoding="utf-8"))
    ]
    assert len(texts) > 200
    for text in texts:
        assert not re.search(r"(?<!\w)--[a-z]|BULKUPDATE_", say_on_page(text)), text


_NOT_OF_THE_PAGE = re.compile(r"(?<!\w)--[a-z]|BULKUPDATE_|`|<code>bulkupdate ")


def test_pages_name_no_commands_and_settings() -> None:
    for template in (Path(__file__).parents[2] / "bulkupdate/web/templates").glob("*.html"):
        assert not _NOT_OF_THE_PAGE.search(template.read_text(encoding="utf-8")), template.name


def test_downloads_are_in_words_of_the_page(tmp_path: Path) -> None:
    """Report, marked copy, results of a stopped run, rows to fix, undo sheet and template: every cell and comment."""
    plan = ScheduledFaults(customers={100_003: ["error-503"] * 9, 100_004: ["conflict-409"]})
    with (
        Sandbox(SandboxOptions(**LOGINS), plan=plan) as sandbox,
        Server(sandbox.base_url, tmp_path / "s", max_attempts="1", max_failures="1", concurrency="1") as server,
    ):
        anna = Visitor(server.url, "anna")
        lines = ["CustomerId;Name;AccountManager1Commission;Kundengruppe", "100001;a;2,5;x", "100004;b;;", "100003;c;;"]
        sheet = path_of(anna.upload("own.csv", "\n".join([*lines, "100005;d;;"]).encode(), ignore_unknown="1"))
        downloads = [f"{sheet}/report.xlsx", "/template.xlsx"]
        run = anna.wait_for_end(anna.post(f"{sheet}/start", skip_invalid="1", snapshot="1"))
        assert "stopped" in run.text
        run_path = path_of(run)
        downloads += [f"{run_path}/{name}.xlsx" for name in ("results", "to-fix", "undo")]
        for path in downloads:
            answer = anna.get(path)
            assert answer.status_code == 200, path
            texts = list_texts(answer.content)
            assert len(texts) > 10
            for text in texts:
                assert not _NOT_OF_THE_PAGE.search(text), (path, text)
                assert str(tmp_path) not in text, (path, text)


def list_texts(workbook: bytes) -> list[str]:
    cells = (cell for sheet in load_workbook(io.BytesIO(workbook)) for row in sheet.iter_rows() for cell in row)
    return [text for cell in cells for text in (str(cell.value), cell.comment.text if cell.comment else "")]


@pytest.mark.parametrize(
    ("name", "content", "remedy"),
    [
        ("unknown.csv", b"CustomerId,Name,Kundengruppe\n100001,a,b\n", "Rename or delete it, or tick “Ignore columns"),
        ("two.csv", b"CustomerId,Name,A b,C d\n100001,a,b,c\n", "Rename or delete them, or tick “Ignore columns"),
        ("no key.csv", b"Number,Name,Mail\n100001,a,b@c.de\n", "found by e-mail: name that column below."),
        ("comma.csv", b"CustomerId;AccountManager1Commission\n100001;2,5\n", "choose “comma” under"),
        ("polish.csv", "CustomerId,Name\n100101,Łódź Żółw\n".encode("cp1250"), "choose its encoding under"),
    ],
)  # fmt: skip
def test_a_refused_sheet_is_explained_in_words_of_the_page(
    anna: Visitor, server: Server, name, content, remedy
) -> None:
    page = anna.upload(name, content)
    assert remedy in page.text
    assert not _NOT_OF_THE_PAGE.search(page.text), page.text
    assert str(server.state_dir) not in page.text
