"""Commands about TLS: make certificates of one's own, show what is offered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from radfuse.cli.console import say, warn, write_object
from radfuse.cli.options import Data, Json, settings_of
from radfuse.core.errors import ConfigurationError

if TYPE_CHECKING:
    from radfuse.app import Settings
    from radfuse.services.certificates import CertificateFacts

app = typer.Typer(help="TLS: make certificates, show what is offered.", no_args_is_help=True, rich_markup_mode=None)

Names = Annotated[
    list[str] | None,
    typer.Option("--name", metavar="HOST", help="A name or address that the certificate is for; can be given again."),
]
Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="How long the certificate is valid.")]
ForPeer = Annotated[
    str | None, typer.Option("--for", metavar="PEER", help="Make a certificate for this peer, not for this node.")
]


@app.command()
def init(
    name: Names = None, days: Days = 825, for_peer: ForPeer = None, data: Data = None, as_json: Json = False
) -> None:
    """Make an authority and a certificate of this node, or of a peer, in the folder tls of the data folder.

    Good for tests and small installations; files that are there are never overwritten.
    """
    from radfuse.services.certificates import TlsFolder, hosts_of_node, make_certificate

    settings = settings_of(data)
    folder, peer = TlsFolder.of(settings.data), for_peer or ""
    hosts = list(name or ()) or (_hosts_of_peer(settings, peer) if peer else [])
    if not peer:
        hosts += hosts_of_node(settings.host)
    settings.data.mkdir(parents=True, exist_ok=True)
    try:
        made = make_certificate(folder, hosts, days, peer)
    except ConfigurationError as error:
        if error.setting.startswith("--"):  # what was typed, not what is there
            raise typer.BadParameter(str(error)) from error
        raise
    if as_json:
        write_object({"Files": [str(path) for path in made], "Names": list(dict.fromkeys(hosts))})
        return
    for path in made:
        say(str(path))
    say(f"The certificate is for {', '.join(dict.fromkeys(hosts))}.")
    if peer:
        say(f"Give {folder.certificate(peer).name}, {folder.key(peer).name} and {folder.authority.name} to {peer}.")
    else:
        say(f"'radfuse serve' offers TLS from now on. Peers need {folder.authority} to trust it.")
        say("A peer needs a certificate too: make one with --for PEER, or set client_certificates in radfuse.toml.")


@app.command()
def show(data: Data = None, as_json: Json = False) -> None:
    """Show what is offered over TLS: versions, cipher suites, our certificate and how long it is valid."""
    from radfuse.app import tls_identity
    from radfuse.services.certificates import WARN_DAYS, check_identity
    from radfuse.wire.tls import VERSIONS, suites_offered

    settings = settings_of(data)
    identity = tls_identity(settings)
    if identity is None:
        if as_json:
            write_object({"Offered": False})
        else:
            say("TLS is off: there is no certificate. Make one with 'radfuse tls init', or name one in radfuse.toml.")
        return
    facts, now = check_identity(identity), datetime.now(UTC)
    rows: dict[str, object] = {
        "Offered": True,
        "Port": settings.tls_port,
        "Versions": list(VERSIONS),
        "CipherSuites": list(suites_offered(legacy=identity.legacy)),
        "ClientCertificates": settings.tls.client_certificates.value,
        "Authorities": str(identity.authorities) if identity.authorities else "those of the operating system",
        "Legacy": identity.legacy,
        "Certificate": str(identity.certificate),
        **_certificate_rows(facts, now),
    }
    if as_json:
        write_object(rows)
        return
    for key, value in rows.items():
        if key not in ("Offered", "CipherSuites"):
            say(f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    say("CipherSuites:")
    for suite in suites_offered(legacy=identity.legacy):
        say(f"  {suite}")
    if facts.days_left(now) < WARN_DAYS:
        warn(f"the certificate ends in {facts.days_left(now)} days: replace it")


def _certificate_rows(facts: CertificateFacts, now: datetime) -> dict[str, object]:
    return {
        "Subject": facts.subject,
        "Issuer": facts.issuer,
        "Names": list(facts.names),
        "Key": facts.key,
        "Signature": facts.signature,
        "NotBefore": facts.not_before.isoformat(),
        "NotAfter": facts.not_after.isoformat(),
        "DaysLeft": facts.days_left(now),
        "SHA256": facts.sha256,
    }


def _hosts_of_peer(settings: Settings, peer: str) -> list[str]:
    """What a configured peer's certificate must be for; else its name alone."""
    import contextlib

    from radfuse.app import open_peers
    from radfuse.services.certificates import hosts_of_peer

    if not settings.data.is_dir():
        return [peer]
    with contextlib.closing(open_peers(settings)) as peers:
        return hosts_of_peer(peer, peers.all())
