"""The examples of docs/python.md, run in order as one program, and checked by mypy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox
from tests.conftest import find_puts

_PAGE = Path(__file__).parents[2] / "docs" / "python.md"
_STATE = """
import gc, locale, logging, os, signal, sys, threading


def list_state():
    signals = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    hooks = [sys.excepthook, threading.excepthook, sys.unraisablehook]
    root = (list(logging.root.handlers), logging.root.level)
    threads = [each.name for each in threading.enumerate() if type(each).__name__ != "TMonitor"]  # that of tqdm
    process = dict(os.environ), os.getcwd(), locale.setlocale(locale.LC_ALL), gc.get_threshold()
    return process, signals, hooks, root, threads


before = list_state()
"""
_CODE = "".join(re.findall(r"```python\n(.*?)```", _PAGE.read_text(encoding="utf-8"), re.DOTALL))


def test_the_examples_run(sandbox: Sandbox, tmp_path: Path) -> None:
    code = _CODE.replace(
        'server_id="xx", username="me@example.com", password=bulkupdate.Secret(password)',
        f'base_url="{sandbox.base_url}", username="sandbox", password=bulkupdate.Secret("sandbox")',
    )
    environment = {
        "PYTHONPATH": str(_PAGE.parents[1]), "BULKUPDATE_BASE_URL": sandbox.base_url, "HOME": str(tmp_path),
        "BULKUPDATE_USERNAME": "sandbox", "BULKUPDATE_PASSWORD": "sandbox", "BULKUPDATE_REQUESTS_PER_HOUR": "0",
        "BULKUPDATE_STATE_DIR": str(tmp_path / "state"),
    }  # fmt: skip
    code = f"{_STATE}{code}\nassert list_state() == before"
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=120)
    assert len(find_puts(sandbox)) == 8  # two customers, sent four times: one call repeats another's run key


@pytest.mark.long
def test_the_examples_are_typed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text('password = "x"\n' + _CODE, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--ignore-missing-imports", str(program)]
    checked = subprocess.run(command, cwd=_PAGE.parents[1], capture_output=True, text=True, timeout=300)
    assert checked.returncode == 0, checked.stdout
