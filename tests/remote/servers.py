"""Real servers of SFTP and of S3 on this machine."""

from __future__ import annotations

import asyncio
import datetime
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh
import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from moto.server import ThreadedMotoServer


def write_certificate(path: Path, name: str) -> Path:
    """Write a certificate that its own key has signed, with the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return path


@dataclass
class SftpServer:
    """A server that serves `root`; `known_hosts` is the line that its clients need."""

    port: int
    root: Path
    known_hosts: str
    loop: asyncio.AbstractEventLoop
    connections: list[Any] = field(default_factory=list)

    def url(self, path: str, user: str = "me") -> str:
        return f"sftp://{user}@127.0.0.1:{self.port}{path}"

    def cut_connections(self) -> None:
        for each in self.connections:
            self.loop.call_soon_threadsafe(each.abort)


@contextmanager
def serve_sftp(root: Path, home: Path) -> Iterator[SftpServer]:
    """Serve a folder to the user `me`, whose SSH key is written into `home`."""
    host_key, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    (home / ".ssh").mkdir(parents=True)
    key.write_private_key(str(home / ".ssh" / "id_ed25519"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    connections: list[Any] = []

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: Any) -> None:
            connections.append(conn)

        def begin_auth(self, username: str) -> bool:
            return True

        def public_key_auth_supported(self) -> bool:
            return True

        def validate_public_key(self, username: str, offered: Any) -> bool:
            return username == "me" and offered.public_data == key.convert_to_public().public_data

    async def start() -> Any:
        return await asyncssh.create_server(
            Server, "127.0.0.1", 0, server_host_keys=[host_key],
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(root)),
        )  # fmt: skip

    server = asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    public = host_key.export_public_key().decode().strip()
    line = f"[127.0.0.1]:{server.get_port()} {public}\n"
    (home / ".ssh" / "known_hosts").write_text(line)
    running = SftpServer(server.get_port(), root, line, loop, connections)
    try:
        yield running
    finally:
        loop.call_soon_threadsafe(server.close)
        running.cut_connections()
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@dataclass
class S3Server:
    """A server with a bucket `sheets`; `environment` is what its clients need."""

    client: Any
    environment: dict[str, str]
    server: ThreadedMotoServer

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket="sheets", Key=key, Body=content)

    def get(self, key: str) -> bytes:
        return self.client.get_object(Bucket="sheets", Key=key)["Body"].read()

    def list_keys(self) -> list[str]:
        return [each["Key"] for each in self.client.list_objects_v2(Bucket="sheets").get("Contents", [])]


@contextmanager
def serve_s3() -> Iterator[S3Server]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    environment = {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "key-of-test", "AWS_SECRET_ACCESS_KEY": "secret-of-test",
        "AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
    }  # fmt: skip
    client = boto3.client(
        "s3", endpoint_url=url, aws_access_key_id="key-of-test", aws_secret_access_key="secret-of-test",
        region_name="us-east-1",
    )  # fmt: skip
    client.create_bucket(Bucket="sheets")
    try:
        yield S3Server(client, environment, server)
    finally:
        client.close()
        server.stop()


def use_environment(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
