"""Execute docs/notebook.ipynb and save its outputs: `python docs/notebook_outputs.py`. A test compares them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from bulkupdate.sandbox.server import Sandbox

PATH = Path(__file__).with_name("notebook.ipynb")
BASE_URL = "http://127.0.0.1:8765/rest/api"
"""Where `bulkupdate sandbox` is, if nothing else is said."""


def execute(sandbox: Sandbox, folder: Path) -> Any:
    """Return the executed notebook. Raises `CellExecutionError` if a cell fails."""
    notebook = nbformat.read(PATH, as_version=4)
    sources = [cell.source for cell in notebook.cells]
    for cell in notebook.cells:
        cell.source = cell.source.replace(BASE_URL, sandbox.base_url)
    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()
    for cell, source in zip(notebook.cells, sources, strict=True):
        cell.source = source
    return notebook


def _drop_changing_parts(notebook: Any) -> None:
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":  # a progress bar is a widget, which a saved notebook does not show
            cell.outputs = [each for each in cell.outputs if each.output_type != "display_data"]


if __name__ == "__main__":
    with Sandbox() as running, tempfile.TemporaryDirectory() as folder:
        executed = execute(running, Path(folder))
    _drop_changing_parts(executed)
    nbformat.write(executed, PATH)
