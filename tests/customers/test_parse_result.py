"""Texts of cells in sentences."""

import pytest

from bulkupdate.customers.parse_result import quote


@pytest.mark.parametrize(
    ("text", "quoted"), [(" a\n b ", "“a b”"), ("x" * 60, f"“{'x' * 60}”"), ("x" * 61, f"“{'x' * 60}…”")]
)
def test_a_text_is_quoted_on_one_line_and_cut(text, quoted):
    assert quote(text) == quoted
