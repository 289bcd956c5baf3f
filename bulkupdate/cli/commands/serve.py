"""`serve`: the upload page."""

from __future__ import annotations

import click

from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import common_options
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.network import is_loopback
from bulkupdate.web.app import create_app
from bulkupdate.web.http_server import serve


@click.command("serve")
@common_options
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0 takes a free one.")
@click.option("--trust-proxy", is_flag=True, help="Trust X-Forwarded-* headers from a TLS proxy.")
@click.option("--public-name", "names", multiple=True, metavar="HOST", help="A host name that users type to reach it.")
def command(invocation: Invocation, host: str, port: int, trust_proxy: bool, names: tuple[str, ...]) -> int:
    """Serve the upload page until Ctrl-C. Users sign in with their own Sellercloud login.

    It listens on this machine only. For other machines, put a proxy with TLS in front of it and add: --trust-proxy
    --public-name bulk.example.com.
    """
    console, settings = invocation.console, invocation.settings
    if not (settings.base_url or settings.server_id or settings.team):
        raise UsageError(
            "To sign users in, this setting is missing: BULKUPDATE_BASE_URL (or BULKUPDATE_SERVER_ID, or "
            "BULKUPDATE_TEAM).",
            remedy="Set it in the environment or in bulkupdate.toml.",
        )
    if not is_loopback(host) and not trust_proxy:
        raise UsageError(
            f"On {host} others could reach the page, and their passwords would cross the network unencrypted.",
            remedy="Omit --host, or put a proxy with TLS in front of it and add --trust-proxy.",
        )
    app = create_app(settings, names=names, trust_proxy=trust_proxy)
    serve(
        app,
        host,
        port,
        lambda url: console.info(f"Upload page: {url} (Ctrl-C ends it; runs can be resumed)"),
        trust_proxy=trust_proxy,
    )
    return ExitCode.DONE
