"""Which field a heading means, and what is suggested for one that means none."""

import csv
from pathlib import Path

import pytest

from bulkupdate.customers.headings import (
    check_heading_map,
    describe_common,
    describe_headings,
    find_field,
    merge_heading_maps,
    missing_key_error,
    recognize_headings,
    require_mapped_headings,
    suggest,
)
from bulkupdate.customers.models import RESULT_COLUMNS
from bulkupdate.errors import InputFileError, UsageError


def test_a_heading_map_is_folded_on_both_sides() -> None:
    field = find_field("Kunden-Nr.", {"kundennr": "customer id"})
    assert field is not None
    assert field.name == "CustomerId"


def test_of_two_entries_for_a_heading_the_one_that_is_spelled_like_it_counts() -> None:
    heading_map = {"A-B": "Fax", "a b": "Name"}
    assert [getattr(find_field(own, heading_map), "name", None) for own in ("A-B", "a b", "AB")] == [
        "Fax", "Name", "Name",
    ]  # fmt: skip


def test_of_several_maps_the_last_counts_however_a_heading_is_spelled() -> None:
    merged = merge_heading_maps({"Kunden-Nr": "CustomerId", "Ort": "Comments"}, {"kundennr": "ignore"})
    assert merged == {"Ort": "Comments", "kundennr": "ignore"}


def test_a_map_is_refused_if_it_names_no_field_whether_or_not_the_heading_is_there() -> None:
    check_heading_map({"Ort": "Comments", "Notiz": "ignore"})
    with pytest.raises(UsageError, match=r"“Ort” is mapped to “Coments”, .* Did you mean Comments\?"):
        check_heading_map({"Notiz": "ignore", "Ort": "Coments"})
    with pytest.raises(UsageError, match=r"which is not a customer field\.$"):
        check_heading_map({"Ort": "Shoe size in cm"})


def test_headings_that_are_understood_though_they_are_no_names_of_fields_are_named() -> None:
    headings = ["Customer ID", "Telefon", "E-mail", "Colour", "Kundenname"]
    heading_map = {"Kundenname": "Name"}
    assert describe_common(recognize_headings(headings, heading_map), heading_map) == ["Telefon → Phone1"]


def test_a_heading_close_to_a_field_suggests_it() -> None:
    assert suggest("Emial") == "Email"
    assert suggest("Company") == "CompanyId or BusinessName"
    assert suggest("Shoe size in cm") == ""


def test_of_many_fields_that_are_equally_close_three_are_suggested_by_their_names() -> None:
    assert suggest("Phone 4") == "Phone1, Phone2 or Phone3"
    assert suggest("Account Manager 4") == "AccountManager1Id, AccountManager2Id or AccountManager3Id"


def test_a_mapped_heading_that_is_not_in_the_file_is_refused() -> None:
    header = recognize_headings(["CustomerId", "Kunden-Name"], {"Kundenname": "Name"})
    require_mapped_headings(header, {"Kundenname": "Name", "customer_id": "CustomerId"})
    with pytest.raises(InputFileError, match=r"no heading “Kundename”.*Did you mean “Kunden-Name”"):
        require_mapped_headings(header, {"Kundename": "Name"})


def test_a_header_row_keeps_fields_and_headings_side_by_side_when_resized():
    header = recognize_headings(["Customer ID", "Colour", "E-mail"], number=4)
    assert [field and field.name for field in header.fields] == ["CustomerId", None, "Email"]
    assert (header.key_column, header.field_count, header.number) == (0, 2, 4)
    assert recognize_headings(["Name"]).number == 1
    wider = header.resize(5)
    assert (wider.headings[3:], wider.fields[3:]) == (("", ""), (None, None))
    assert wider.resize(3) == header


def test_columns_of_our_results_mean_no_field():
    header = recognize_headings([*RESULT_COLUMNS, "Customer ID", "Name", "Reason", ""])
    assert header.added == {*range(len(RESULT_COLUMNS)), len(RESULT_COLUMNS) + 2}
    assert header.key_column == len(RESULT_COLUMNS)


def test_a_reason_that_is_not_the_last_column_is_the_users_own():
    assert recognize_headings(["CustomerId", "Reason", "Name"]).added == set()


def test_long_lists_of_headings_are_cut():
    assert describe_headings(["x" * 50, ""]) == f"Found: {'x' * 39}…."
    assert describe_headings([str(number) for number in range(14)]).endswith("11 and 2 more.")
    assert describe_headings([str(number) for number in range(12)]).endswith("10, 11.")
    assert describe_headings(["", " "]) == "No headings were found."


def test_a_sheet_without_ids_is_told_of_the_key():
    error = missing_key_error("a.csv", ["E-mail", "Customer No"], {})
    assert str(error) == "a.csv has no column CustomerId. Found: E-mail, Customer No."
    assert '--map "Customer No=CustomerId"' in error.remedy
    assert "--key E-mail" in error.remedy
    assert "--key" not in missing_key_error("a.csv", ["Name"], {}).remedy
    assert '--map "Your heading=CustomerId"' in missing_key_error("a.csv", ["Name"], {}).remedy


def test_a_heading_that_is_mapped_to_the_id_but_missing_is_named():
    error = missing_key_error("a.csv", ["Name"], {"Ort": "Comments", "Kundennr": "CustomerId", "Name": "Name"})
    assert str(error).startswith(
        "a.csv has no column CustomerId. “Kundennr”, which is mapped to it, is not there either."
    )
    assert "is not there" not in str(missing_key_error("a.csv", ["Name"], {"Ort": "Comments"}))


def test_a_missing_key_column_is_named_as_the_user_named_it():
    error = missing_key_error("a.csv", ["Name"], {"Shop id": "CustomerId"}, rows=30, key="Shop id")
    assert str(error) == "a.csv has no column “Shop id” in its first 30 rows. Found: Name."
    assert error.remedy == "Name one of its columns with --key."


def test_labelled_headings_are_mapped_rightly_or_asked():
    with Path(__file__).with_name("labelled_headings.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    found = {row["heading"]: field.name if (field := find_field(row["heading"], {})) else "ask" for row in rows}
    wanted = [row for row in rows if row["field"] != "ask"]
    right = [row for row in wanted if found[row["heading"]] == row["field"]]
    wrong = [row["heading"] for row in rows if found[row["heading"]] not in ("ask", row["field"])]
    assert len(wanted) >= 200
    assert {row["language"] for row in rows} == {"en", "de", "fr", "es", "it", "nl"}
    assert wrong == []
    assert len(right) >= 0.95 * len(wanted), [row for row in wanted if row not in right]
