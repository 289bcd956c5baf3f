"""The compiled server of `delayed_server.c`, built when it is needed and run as a process of its own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("delayed_server.c")


class NoServerError(Exception):
    """The server cannot be built on this machine."""


@contextmanager
def serve_delayed(seconds: float) -> Iterator[str]:
    """The base URL of a service that answers everything after so long. Raises `NoServerError` without a C compiler."""
    with tempfile.TemporaryDirectory(prefix="bulkupdate-bench-") as folder:
        program = _compile(Path(folder) / "delayed_server")
        with subprocess.Popen(
            [program, str(round(seconds * 1e6))], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/rest/api"
            process.communicate()  # its standard input ends, and so does it


def _compile(target: Path) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise NoServerError("no C compiler (cc) was found, which builds the server with the set delay")
    built = subprocess.run([compiler, "-O2", "-o", target, SOURCE], capture_output=True, text=True)
    if built.returncode:
        raise NoServerError(f"{SOURCE.name} was not compiled (it needs Linux): {built.stderr[:300]}")
    return target
