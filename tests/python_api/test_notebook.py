"""docs/notebook.ipynb, executed in a Jupyter kernel: its saved outputs are what it says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import nbformat
import pytest

from bulkupdate.sandbox.server import Sandbox

DOCS = Path(__file__).parents[2] / "docs"


def list_outputs(notebook: Any) -> list[list[str]]:
    return [
        [each["data"]["text/plain"] for each in cell.get("outputs", []) if each.output_type == "execute_result"]
        for cell in notebook.cells
    ]


@pytest.mark.long
def test_the_notebook_runs_and_its_saved_outputs_are_true(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To fix: python docs/notebook_outputs.py."""
    monkeypatch.setenv("PYTHONPATH", str(DOCS.parent))
    spec = importlib.util.spec_from_file_location("notebook_outputs", DOCS / "notebook_outputs.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    with Sandbox() as sandbox:
        executed = script.execute(sandbox, tmp_path)
    assert list_outputs(executed) == list_outputs(nbformat.read(script.PATH, as_version=4))
    printed = [each for cell in executed.cells for each in cell.get("outputs", []) if each.output_type == "stream"]
    assert not printed
    (bar,) = [each for cell in executed.cells for each in cell.get("outputs", []) if each.output_type == "display_data"]
    assert "application/vnd.jupyter.widget-view+json" in bar.data
