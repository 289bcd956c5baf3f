"""The wheel has all that the program needs, the source distribution all that building and testing it needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest

from bulkupdate.sandbox.server import Sandbox

ROOT = Path(__file__).parents[1]
BUILD = "import sys, setuptools.build_meta as b; place = sys.argv[1]; b.build_sdist(place); b.build_wheel(place)"


def list_files() -> list[str]:
    """Return the files of the repository."""
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a checkout with git")
    return subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("setuptools", minversion="77")
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("dist")
    for name in list_files():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    subprocess.run([sys.executable, "-c", BUILD, str(made)], cwd=source, check=True, capture_output=True)
    return made


@pytest.mark.long
def test_the_wheel_has_every_file_of_the_package(dist: Path) -> None:
    names = set(zipfile.ZipFile(next(dist.glob("*.whl"))).namelist())
    assert {name for name in list_files() if name.startswith("bulkupdate/")} <= names


@pytest.mark.long
def test_the_source_distribution_has_every_file_but_those_of_editors(dist: Path) -> None:
    with tarfile.open(next(dist.glob("*.tar.gz"))) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        name for name in list_files() if name not in {".editorconfig", ".pre-commit-config.yaml", ".ci/run"}
    } <= names


@pytest.mark.long
def test_the_demo_works_from_the_wheel_alone(dist: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(next(dist.glob("*.whl"))).extractall(tmp_path / "site")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("BULKUPDATE_")}
    done = subprocess.run(
        [sys.executable, "-m", "bulkupdate", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=environment | {"PYTHONPATH": str(tmp_path / "site")},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "demo" / "customers-results.xlsx").exists()


TASK = """
import bulkupdate
import pandas as pd


def send(customers: pd.DataFrame, run_key: str) -> pd.DataFrame:
    checked = bulkupdate.check(customers)
    if checked.exit_code != 0:
        return checked.problems
    sent = bulkupdate.run(customers, run_key=run_key)
    return customers.join(sent.results[["Status", "FieldsSent"]])


frame = pd.DataFrame({"CustomerId": [100001, 100002], "Phone1": ["0049 30", None], "Name": ["NA", "Anna"]})
print(send(frame, "nightly 1").to_json(orient="records"))
"""


@pytest.mark.long
def test_a_task_sends_a_frame_in_an_environment_with_nothing_but_the_wheel(
    dist: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    python = tmp_path / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    wheel, constraints = next(dist.glob("*.whl")), ROOT / "constraints.txt"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("BULKUPDATE_", "PYTHON"))}
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", constraints, wheel]
    subprocess.run(install, check=True, env=kept, cwd=tmp_path, timeout=500)
    connection = {
        "BULKUPDATE_BASE_URL": sandbox.base_url, "BULKUPDATE_USERNAME": "sandbox", "BULKUPDATE_PASSWORD": "sandbox",
        "BULKUPDATE_STATE_DIR": str(tmp_path / "state"),
    }  # fmt: skip
    printed = subprocess.check_output([python, "-c", TASK], env=kept | connection, cwd=tmp_path, text=True)
    assert [(row["Status"], row["FieldsSent"]) for row in json.loads(printed)] == [
        ("updated", ["Phone1", "Name"]), ("updated", ["Name"]),
    ]  # fmt: skip
    assert sandbox.customer(100_001)["Name"] == "NA"
