"""`serve`: the upload page."""

from __future__ import annotations

import click

from bulkupdate.cli.command_help import Command, option
from bulkupdate.cli.invocation import Invocation
from bulkupdate.cli.options import PORT, common_options
from bulkupdate.errors import ExitCode, UsageError
from bulkupdate.network import is_loopback
from bulkupdate.web.app import create_app
from bulkupdate.web.server.http_server import serve


@click.command(
    "serve",
    cls=Command,
    examples={
        "--team acme": "Serve the page on http://127.0.0.1:8000, for this machine.",
        "--trust-proxy --public-name bulk.example.com": "Behind a proxy with TLS, for other machines.",
    },
)
@common_options
@option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="The address to listen on.")
@option("--port", type=PORT, metavar="N", default=8000, show_default=True, help="The port; 0: a free one.")
@option("--trust-proxy", is_flag=True, help="Trust the X-Forwarded-* headers of a proxy with TLS in front of it.")
@option(
    "--public-name",
    "names",
    multiple=True,
    metavar="HOST",
    help="A name under which users reach it. May be repeated.",
)
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
