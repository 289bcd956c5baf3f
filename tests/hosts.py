"""Hosts of their own: network namespaces, each with a line to this machine that can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from bulkupdate.redaction import Secret
from tests.warm import PROJECT

CAN_HAVE_HOSTS = hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("ip") is not None

RELAY = """
import asyncio, sys
async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
async def main(host, port, to_host, to_port):
    async def serve(reader, writer):
        try:
            to_reader, to_writer = await asyncio.open_connection(to_host, to_port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(copy(reader, to_writer), copy(to_reader, writer))
    server = await asyncio.start_server(serve, host, port)
    print("ready", flush=True)
    await server.serve_forever()
asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
"""
"""Hands connections on: the program sends passwords to other machines only over TLS, which the sandbox has not."""


@dataclass
class Host:
    """A host: `here` is the address of this machine as it sees it."""

    name: str
    here: str
    link: str
    stack: ExitStack

    def command(self, *words: object) -> list[str]:
        """The command that does this on the host."""
        start = f'hostname {self.name}; exec "$@"'
        return ["ip", "netns", "exec", self.name, "unshare", "--uts", "sh", "-c", start, "sh", *map(str, words)]

    def reach(self, port: int) -> None:
        """Let the host reach a port of this machine's loopback as one of its own."""
        self._relay([sys.executable, "-c", RELAY, self.here, str(port), "127.0.0.1", str(port)])
        self._own = self.command(sys.executable, "-c", RELAY, "127.0.0.1", port, self.here, port)
        self._own_relay = self._relay(self._own)

    def _relay(self, command: list[str]) -> subprocess.Popen[bytes]:
        relay = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"ready\n"
        self.stack.callback(relay.stdout.close)
        self.stack.callback(relay.wait)
        self.stack.callback(relay.kill)
        return relay

    def address_of(self, database: Secret, port: int) -> str:
        """The address of a database of this machine."""
        name = database.reveal().partition("@/")[2].partition("?")[0]
        return f"postgresql://bulkupdate@{self.here}:{port}/{name}"

    def environment(self, **settings: object) -> dict[str, str]:
        """The environment of the program there."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BULKUPDATE_")}
        own = {f"BULKUPDATE_{name.upper()}": str(value) for name, value in settings.items()}
        return {**kept, "PYTHONPATH": str(PROJECT), **own}

    def cut(self) -> None:
        """Cut the line to this machine: nothing arrives any more, and nobody is told.

        What the relay has taken would otherwise arrive later, though the program has given it up.
        """
        _call("link", "set", self.link, "down")
        self._own_relay.kill()
        self._own_relay.wait()

    def mend(self) -> None:
        _call("link", "set", self.link, "up")
        self._own_relay = self._relay(self._own)


@contextmanager
def make_hosts(count: int) -> Iterator[list[Host]]:
    """Make some hosts, and delete them at the end."""
    with ExitStack() as stack:
        yield [stack.enter_context(_make_host(number)) for number in range(1, count + 1)]


@contextmanager
def _make_host(number: int) -> Iterator[Host]:
    block = os.getpid() % 200 + 20
    name, link, subnet = f"host{os.getpid()}x{number}", f"bu{os.getpid() % 100_000}x{number}", f"10.{block}.{number}"
    with ExitStack() as stack:
        _call("netns", "add", name)
        stack.callback(_call, "netns", "del", name)
        _call("link", "add", link, "type", "veth", "peer", "name", "out", "netns", name)
        _call("addr", "add", f"{subnet}.1/24", "dev", link)
        _call("link", "set", link, "up")
        for words in (("addr", "add", f"{subnet}.2/24", "dev", "out"), ("link", "set", "out", "up"),
                      ("link", "set", "lo", "up")):  # fmt: skip
            _call("-n", name, *words)
        yield Host(name, f"{subnet}.1", link, stack)


def _call(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
