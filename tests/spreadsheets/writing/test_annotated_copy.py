from __future__ import annotations

import re
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from shutil import which

import openpyxl
import pytest
from openpyxl.comments import Comment
from openpyxl.formatting.rule import ColorScaleRule
from openpyxl.styles import Font, PatternFill

from bulkupdate.customers.models import Problem
from bulkupdate.errors import UsageError
from bulkupdate.spreadsheets.writing import problem_listing
from bulkupdate.spreadsheets.writing.annotated_copy import annotated_path, annotation_blocker, write_annotated_copy
from tests.spreadsheets.writing.samples import ODD_TEXTS, make_line, make_problem, read_back

RED, AMBER = "FFFFC7CE", "FFFFEB9C"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A sheet as people make them: a title above the headings, colours, a formula, a comment, a second sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Kunden"
    sheet["A1"] = "Our customers"
    sheet.merge_cells("A1:C1")
    sheet.append([])
    sheet.append(["Customer ID", " E-mail ", "Phone1"])
    sheet.append([163, "anna", "007"])
    sheet.append([164, "=1+1", "+49"])
    sheet["B4"].font = Font(bold=True, name="Courier New")
    sheet["B4"].comment = Comment("ask Anna", "Bob")
    sheet["C4"].fill = PatternFill("solid", fgColor="FF00FF00")
    sheet["C4"].number_format = "@"
    sheet.column_dimensions["B"].width = 55
    sheet.freeze_panes = "A4"
    book.create_sheet("Notes")["A1"] = "keep me"
    path = tmp_path / "customers.xlsx"
    book.save(path)
    return path


def annotate(source: Path, problems: Sequence[Problem], sheet_name: str = "Kunden", heading_row: int = 3) -> Path:
    target = annotated_path(source.with_name("check.xlsx"))
    write_annotated_copy(
        source, target, sheet_name=sheet_name, heading_row=heading_row,
        headings=("Customer ID", " E-mail ", "Phone1"), key_heading="Customer ID", problems=problems,
    )  # fmt: skip
    return target


def test_the_copy_stands_beside_the_report() -> None:
    assert annotated_path(Path("folder", "check.xlsx")) == Path("folder", "check-annotated.xlsx")


def test_bad_cells_are_red_doubtful_ones_amber_each_with_a_comment(source: Path) -> None:
    problems = [make_problem(4, "E-mail"), make_problem(4, "Phone1", "Odd\x07.", warning=True)]
    sheet = openpyxl.load_workbook(annotate(source, problems))["Kunden"]
    assert (sheet["B4"].fill.fgColor.rgb, sheet["C4"].fill.fgColor.rgb) == (RED, AMBER)
    assert "Error: There is no @. Write it like anna@example.com." in sheet["B4"].comment.text
    assert "Warning: Odd␇." in sheet["C4"].comment.text
    assert sheet["B5"].comment is None


def test_a_cell_with_an_error_and_a_warning_is_red_and_says_both(source: Path) -> None:
    problems = [make_problem(5, "Phone1", "Odd.", warning=True), make_problem(5, "Phone1", "Bad.")]
    cell = openpyxl.load_workbook(annotate(source, problems))["Kunden"]["C5"]
    assert cell.fill.fgColor.rgb == RED
    assert "Odd." in cell.comment.text
    assert "Bad." in cell.comment.text


def test_a_problem_of_the_whole_row_is_put_on_its_customer_id(source: Path) -> None:
    sheet = openpyxl.load_workbook(annotate(source, [make_problem(5, "", "Stands twice.")]))["Kunden"]
    assert "Stands twice." in sheet["A5"].comment.text


def test_a_sheet_lists_the_problems_with_links_to_their_cells(source: Path) -> None:
    copy = annotate(source, [make_problem(4, "E-mail", "=No @."), make_problem(5, "")])
    again = openpyxl.load_workbook(annotate(copy, [make_problem(4, "E-mail", "=No @.")]))
    assert again.sheetnames == ["Kunden", "Notes", "Problems (bulkupdate)"]
    assert again.active is again["Kunden"]
    heading, (severity, row, _, message, _) = again["Problems (bulkupdate)"].iter_rows()
    assert [severity.value, row.value, message.value, message.data_type] == ["error", 4, "=No @.", "s"]
    assert row.hyperlink.location == "'Kunden'!B4"
    assert heading[0].value == "Severity"


def test_a_long_list_is_cut_and_says_so(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(problem_listing, "_MOST", 1)
    book = openpyxl.load_workbook(annotate(source, [make_problem(4, "E-mail"), make_problem(5, "E-mail")]))
    *_, last = book["Problems (bulkupdate)"].iter_rows(values_only=True)
    assert (book["Problems (bulkupdate)"].max_row, last[3]) == (3, "The check report lists all 2 problems.")
    assert book["Kunden"]["B5"].comment


def test_all_else_stays_as_the_user_made_it(source: Path) -> None:
    before = openpyxl.load_workbook(source)
    after = openpyxl.load_workbook(annotate(source, [make_problem(4, "E-mail"), make_problem(4, "Phone1")]))
    sheet = after["Kunden"]
    assert after.sheetnames == [*before.sheetnames, "Problems (bulkupdate)"]
    assert list(sheet.values) == list(before["Kunden"].values)
    assert after["Notes"]["A1"].value == "keep me"
    assert (sheet["B4"].font.b, sheet["B4"].font.name, sheet["C4"].number_format) == (True, "Courier New", "@")
    assert "ask Anna" in sheet["B4"].comment.text
    assert sheet.column_dimensions["B"].width == 55
    assert (sheet.freeze_panes, str(sheet.merged_cells)) == ("A4", "A1:C1")
    assert sheet["B5"].value == "=1+1", "the user's own formula stays one"


def test_the_users_own_file_is_not_touched(source: Path) -> None:
    content = source.read_bytes()
    annotate(source, [make_problem(4, "E-mail")])
    assert source.read_bytes() == content


def test_texts_come_through_as_they_were(tmp_path: Path) -> None:
    """Also those that openpyxl alone would change, as our own results file and XlsxWriter's files hold them."""
    from bulkupdate.spreadsheets.writing.to_fix_sheet import write_to_fix

    source = tmp_path / "fix.xlsx"
    texts = [text for text in ODD_TEXTS if not re.search("_x00(05|07|5F)", text)]
    write_to_fix(source, ("Customer ID", "Name"), [make_line(original=("1", text)) for text in texts])
    target = annotate(source, [make_problem(2, "Name")], "Customers", 1)
    assert [row[-1] for row in read_back(target, "Customers")[1:]] == texts


def test_texts_in_the_shared_strings_come_through_as_they_were(tmp_path: Path) -> None:
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook(tmp_path / "in.xlsx", {"strings_to_formulas": False})
    sheet = book.add_worksheet("Kunden")
    for row, text in enumerate(("Customer ID", "_x0041_", "=_x0041_", "bell\x07", "=1+1")):
        sheet.write_string(row, 0, text)
    sheet.write_rich_string(5, 0, book.add_format({"bold": True}), "bold", " and plain")
    book.close()
    target = annotate(tmp_path / "in.xlsx", [make_problem(2, "Customer ID")], heading_row=1)
    assert read_back(target, "Kunden") == read_back(tmp_path / "in.xlsx", "Kunden")
    assert openpyxl.load_workbook(target, rich_text=True)["Kunden"]["A6"].value[0].font.b


def test_formulas_keep_the_values_they_show(tmp_path: Path) -> None:
    """So that the copy can be given back without Excel having calculated it again."""
    xlsxwriter = pytest.importorskip("xlsxwriter")
    book = xlsxwriter.Workbook(tmp_path / "in.xlsx")
    sheet = book.add_worksheet("Kunden")
    sheet.write_row(0, 0, ["Customer ID", "E-mail", "Phone1"])
    date = book.add_format({"num_format": "yyyy-mm-dd"})
    for row, (value, look) in enumerate(
        [(163, None), (1.5, None), ("a<b>&c", None), (True, None), ("#N/A", None), (46000.25, date), (0, None)], start=1
    ):
        sheet.write_formula(row, 0, '="x"&1', look, value)
    book.close()
    target = annotate(tmp_path / "in.xlsx", [make_problem(2, "E-mail")], heading_row=1)
    assert read_back(target, "Kunden") == read_back(tmp_path / "in.xlsx", "Kunden")
    shown = [row[0] for row in openpyxl.load_workbook(target, data_only=True)["Kunden"].values]
    assert shown[1:] == [163, 1.5, "a<b>&c", True, "#N/A", datetime(2025, 12, 9, 6), 0]
    assert openpyxl.load_workbook(target)["Kunden"]["A2"].value == '="x"&1'


def test_a_problem_in_a_merged_cell_is_put_where_it_shows(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Kunden"
    book.active.append(["Customer ID", "E-mail"])
    book.active.append([1, "a@example.com"])
    book.active.merge_cells("B2:B3")
    book.save(tmp_path / "in.xlsx")
    target = annotate(tmp_path / "in.xlsx", [make_problem(3, "E-mail", "Merged.")], heading_row=1)
    assert "Merged." in openpyxl.load_workbook(target)["Kunden"]["B2"].comment.text


def test_why_there_is_no_copy_is_said(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert annotation_blocker(source, 20_000) is None
    assert "more than 20,000 rows" in str(annotation_blocker(source, 20_001))
    assert ".xlsx files only" in str(annotation_blocker(tmp_path / "in.csv", 1))
    assert "can no longer be read" in str(annotation_blocker(tmp_path / "gone.xlsx", 1))
    (tmp_path / "broken.xlsx").write_bytes(b"PK")
    assert "can no longer be read" in str(annotation_blocker(tmp_path / "broken.xlsx", 1))
    monkeypatch.setattr("bulkupdate.spreadsheets.writing.annotated_copy._MOST_UNPACKED_BYTES", 100)
    assert "too large" in str(annotation_blocker(source, 1))


def test_a_workbook_that_cannot_be_copied_is_one_sentence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "in.xlsx", "w") as package:
        package.writestr("xl/workbook.xml", "<nonsense/>")
    with pytest.raises(UsageError, match=r"No annotated copy of in\.xlsx could be made"):
        annotate(tmp_path / "in.xlsx", [])
    assert [path.name for path in tmp_path.iterdir()] == ["in.xlsx"]


@pytest.mark.skipif(which("soffice") is None, reason="LibreOffice is not installed")
def test_libreoffice_opens_what_is_written(source: Path, tmp_path: Path) -> None:
    """A second opinion on the files' form, from the program that people without Excel use."""
    from bulkupdate.spreadsheets.writing.template_sheet import write_template

    annotate(source, [make_problem(4, "E-mail")])
    write_template(tmp_path / "template.xlsx")
    names = ["check-annotated", "template"]
    subprocess.run(
        ["soffice", f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to", "csv",
         *(f"{name}.xlsx" for name in names)],
        cwd=tmp_path, check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    assert "163,anna,007" in (tmp_path / "check-annotated.csv").read_text("utf-8")
    assert (tmp_path / "template.csv").read_text("utf-8").startswith("CustomerId,Title,Name,")


WITH_BACKSLASHES = "unread part"


def add_to_parts(path: Path, changes: dict[str, tuple[str, str]]) -> None:
    """Replace a text in parts of a package; a part that is not there is added."""
    with zipfile.ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    if WITH_BACKSLASHES in changes:
        parts = {name.replace("/", "\\"): part for name, part in parts.items()}
    for name, (old, new) in changes.items():
        parts[name] = re.sub(old.encode(), new.encode(), parts[name], count=1) if name in parts else new.encode()
    with zipfile.ZipFile(path, "w") as package:
        for name, part in parts.items():
            package.writestr(name, part)


@pytest.mark.filterwarnings("error")
def test_what_the_copy_lacks_is_said_in_plain_words_and_no_library_warns(source: Path) -> None:
    extensions = "".join(
        f'<ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" uri="{{{uri}}}"/>'
        for uri in ("CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF", "05C60535-1F16-4fd2-B633-F4F36F0B64E0")
    )
    add_to_parts(
        source,
        {
            "xl/worksheets/sheet1.xml": ("</worksheet>", f"<extLst>{extensions}</extLst></worksheet>"),
            "xl/drawings/drawing9.xml": ("", "<xdr:wsDr><xdr:sp macro=''></xdr:sp></xdr:wsDr>"),
            "xl/ctrlProps/ctrlProp1.xml": ("", "<formControlPr/>"),
        },
    )
    target = annotated_path(source.with_name("check.xlsx"))
    copy = write_annotated_copy(
        source, target, sheet_name="Kunden", heading_row=3, headings=("Customer ID", " E-mail ", "Phone1"),
        key_heading="Customer ID", problems=[make_problem(4, "E-mail")],
    )  # fmt: skip
    assert copy.losses == [
        "buttons and other controls", "drop-down lists that take their entries from another sheet", "sparklines",
        "text boxes and shapes",
    ]  # fmt: skip


def test_a_mark_stands_above_the_users_colour_scale(source: Path) -> None:
    book = openpyxl.load_workbook(source)
    scale = ColorScaleRule(start_type="min", start_color="FFFFFF", end_type="max", end_color="0000FF")
    book["Kunden"].conditional_formatting.add("A4:C5", scale)
    book.save(source)
    sheet = openpyxl.load_workbook(annotate(source, [make_problem(4, "E-mail"), make_problem(5, "")]))["Kunden"]
    (cells, first), (scaled, last) = (
        (str(each.sqref), rule) for each in sheet.conditional_formatting for rule in each.rules
    )
    assert (set(cells.split()), first.stopIfTrue, first.dxf.fill.bgColor.rgb) == ({"B4", "A5"}, True, RED)
    assert (scaled, last.type) == ("A4:C5", "colorScale")
    assert first.priority < last.priority


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"xl/styles.xml": ('patternType="gray125"', 'patternType="weird"')}, "something that cannot be copied"),
        ({"xl/workbook.xml": ("<workbook ", '<workbook conformance="strict" xmlns:s="http://purl.oclc.org/ooxml/x" '),
          "xl/styles.xml": ('patternType="gray125"', 'patternType="weird"')}, "Strict Open XML Spreadsheet"),
        ({WITH_BACKSLASHES: ("", "")}, "its parts have names that few programs can read"),
    ],
)  # fmt: skip
def test_a_workbook_that_cannot_be_copied_is_checked_all_the_same(run_program, tmp_path, change, why) -> None:
    book = openpyxl.Workbook()
    book.active.append(["CustomerId", "Email"])
    book.active.append([163, "anna"])
    book.save(tmp_path / "in.xlsx")
    add_to_parts(tmp_path / "in.xlsx", change)
    done = run_program("check", "in.xlsx", "-o", "r.xlsx", "--html", "r.html")
    assert (done.exit_code, done.counts) == (1, {"invalid": 1})
    assert done.told["results"] == "r.xlsx"
    assert [each["code"] for each in done.told["problems"]] == ["email"]
    assert "anna" in (tmp_path / "r.html").read_text()
    assert openpyxl.load_workbook(tmp_path / "r.xlsx")["Problems"]["F2"].value
    assert not (tmp_path / "r-annotated.xlsx").exists()
    assert why in done.err
    assert not re.search("Error: |Warning: |openpyxl|[a-z]Error", done.err)


def test_the_command_says_what_the_copy_lacks_and_no_library_speaks(run_program, tmp_path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["CustomerId", "Email"])
    book.active.append([163, "anna"])
    book.save(tmp_path / "in.xlsx")
    extension = '<extLst><ext uri="{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}"/></extLst></worksheet>'
    button = '<x:ClientData ObjectType="Button"/>'
    add_to_parts(
        tmp_path / "in.xlsx",
        {"xl/worksheets/sheet1.xml": ("</worksheet>", extension), "xl/drawings/vmlDrawing1.vml": ("", button)},
    )
    done = run_program("check", "in.xlsx", "-o", "r.xlsx")
    assert "r-annotated.xlsx lacks these parts of your file: buttons and other controls, drop-down lists" in done.err
    assert "Warning" not in done.err
    link = openpyxl.load_workbook(tmp_path / "r.xlsx")["Problems"]["B2"].hyperlink
    assert (link.target, link.location) == ("r-annotated.xlsx", "'Sheet'!B2")


def test_the_sentences_of_a_comment_are_separated(source: Path) -> None:
    sheet = openpyxl.load_workbook(annotate(source, [make_problem(4, "E-mail", "there is no @")]))["Kunden"]
    assert sheet["B4"].comment.text.endswith("Error: there is no @. Write it like anna@example.com.")
