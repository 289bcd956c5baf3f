"""A real PostgreSQL for the tests: a cluster of this user's own, on a socket in a folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from bulkupdate.redaction import Secret

_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
_USER = "postgres" if os.geteuid() == 0 else ""
_NUMBERS = count(1)

WANTED = os.environ.get("TESTS_STORE") == "postgres"
"""Whether the tests keep journal, quota and audit in PostgreSQL instead of files: `make test-postgres`."""

only_files = pytest.mark.skipif(WANTED, reason="it looks into the file of the journal")

_started = ExitStack()
_places: dict[Path, Secret] = {}


def place_of(state_folder: Path) -> Path | Secret:
    """Return where the journal of this state folder is: there, or in a database of its own."""
    if not WANTED:
        return state_folder
    if state_folder not in _places:
        _places[state_folder] = _find_server().make_database()
    return _places[state_folder]


def database_of(state_folder: Path) -> Secret:
    """Return the setting `database` for this state folder; empty if its journal is there."""
    place = place_of(state_folder)
    return place if isinstance(place, Secret) else Secret("")


def database_variable(state_folder: Path) -> dict[str, str]:
    """Return that setting for an environment; nothing if the journal is in the folder."""
    database = database_of(state_folder)
    return {"BULKUPDATE_DATABASE": database.reveal()} if database else {}


@cache
def _find_server() -> Postgres:
    """Return the server of this process's tests, started when it is first needed."""
    atexit.register(_started.close)
    return _started.enter_context(run_postgres())


def find_free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def find_program(name: str) -> str | None:
    """Return where a program of PostgreSQL is; None if it is not installed."""
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", *map(str, _FOLDERS)])
    return shutil.which(name, path=places)


def make_command(program: str, *arguments: object) -> list[str]:
    """Return the command of a program of PostgreSQL, which refuses to be root."""
    as_user = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"] if _USER else []
    return [*as_user, str(find_program(program)), *map(str, arguments)]


class Postgres:
    """A running cluster. `make_database` gives each test a database of its own."""

    def __init__(self, folder: Path, *, is_reachable: bool = False) -> None:
        self.folder = folder
        self.port = find_free_port()
        self._listen = "*" if is_reachable else ""
        self.data = folder / "data"

    def make_database(self) -> Secret:
        """Return the address of a new, empty database."""
        name = f"test{os.getpid()}n{next(_NUMBERS)}"
        self.run("createdb", "-h", self.folder, "-p", self.port, "-U", "bulkupdate", name)
        return Secret(f"postgresql://bulkupdate@/{name}?host={self.folder}&port={self.port}")

    def dump(self, database: Secret, *options: object) -> str:
        """Return what `pg_dump` writes of a database."""
        return self.run("pg_dump", *options, database.reveal())

    @property
    def crash(self) -> list[str]:
        """The command that ends the server at once, without a word to its sessions, and starts it again."""
        return make_command("pg_ctl", "-D", self.data, "-m", "immediate", "-w", "-l", self.folder / "log", "restart")

    def start(self) -> None:
        """Start the server; it does not wait for the disk, as no test cuts the power."""
        options = (
            f"-c listen_addresses='{self._listen}' -p {self.port} -k {self.folder} -c fsync=off -c max_connections=200"
        )
        self.run("pg_ctl", "-D", self.data, "-w", "-l", self.folder / "log", "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        """Stop the server: `immediate` is a crash, `fast` ends all sessions."""
        self.run("pg_ctl", "-D", self.data, "-m", mode, "-w", "stop")

    def run(self, program: str, *arguments: object) -> str:
        """Run a program of PostgreSQL to its end."""
        done = subprocess.run(make_command(program, *arguments), capture_output=True, text=True, cwd=self.folder)
        if done.returncode:
            raise RuntimeError(f"{program} failed: {done.stdout}{done.stderr}")
        return done.stdout


@contextmanager
def run_pooler(postgres: Postgres, database: Secret, pool_mode: str) -> Iterator[Secret]:
    """Run PgBouncer in front of a database; yield the address there."""
    folder = Path(tempfile.mkdtemp(prefix="bulkupdate-pooler-"))
    folder.chmod(0o777)
    options = f"unix_socket_dir={folder}\nlisten_port=6432\nauth_type=any\npool_mode={pool_mode}\n"
    target = f"* = host={postgres.folder} port={postgres.port} user=bulkupdate"
    (folder / "pooler.ini").write_text(f"[databases]\n{target}\n[pgbouncer]\n{options}")
    with subprocess.Popen(make_command("pgbouncer", "-q", folder / "pooler.ini"), stderr=subprocess.DEVNULL) as process:
        while not (folder / ".s.PGSQL.6432").exists():
            time.sleep(0.02)
        yield Secret(
            database.reveal().replace(f"host={postgres.folder}&port={postgres.port}", f"host={folder}&port=6432")
        )
        process.terminate()
    shutil.rmtree(folder)


@contextmanager
def run_postgres(*, is_reachable: bool = False) -> Iterator[Postgres]:
    """Make a cluster, and delete it at the end. `is_reachable`: other hosts can connect to its port, too."""
    folder = Path(tempfile.mkdtemp(prefix="bulkupdate-postgres-"))
    postgres = Postgres(folder, is_reachable=is_reachable)
    try:
        if _USER:
            shutil.chown(folder, _USER, _USER)
        postgres.run("initdb", "-D", postgres.data, "-U", "bulkupdate", "-A", "trust", "--no-sync", "-E", "UTF8")
        if is_reachable:
            with (postgres.data / "pg_hba.conf").open("a") as rules:
                rules.write("host all all 10.0.0.0/8 trust\n")
        postgres.start()
        yield postgres
        postgres.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
