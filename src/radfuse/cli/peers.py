"""Commands about the configured peers."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from radfuse.cli.asking import echo_peer
from radfuse.cli.console import say, write_object, write_rows, write_table
from radfuse.cli.many_options import taking
from radfuse.cli.options import Data, From, Json, PeerName, settings_of, wrong_use
from radfuse.core.errors import UnknownPeer
from radfuse.core.transfer_syntaxes import syntax_of
from radfuse.core.uid_names import transfer_syntax_of

if TYPE_CHECKING:
    from pathlib import Path

    from radfuse.services.peers import Peer, Peers

app = typer.Typer(
    help="The configured peers: add, list, show, remove, test.", no_args_is_help=True, rich_markup_mode=None
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The peer's name here.")]
Address = Annotated[str, typer.Argument(metavar="AET@HOST:PORT", help="Its AE title, host and port.")]
Flag = bool | None
Seconds = float | None

_IN_A_TABLE: Final = (
    *("Name", "AETitle", "Host", "Port", "TLS"),
    *("MayStore", "MayQuery", "MayRetrieve", "MayCommit", "ContextList", "Retries"),
)


def _flag(names: str, sentence: str) -> Any:
    return typer.Option(names, show_default=False, help=sentence)


def _value(name: str, metavar: str, sentence: str) -> Any:
    return typer.Option(name, metavar=metavar, show_default=False, help=sentence)


@dataclass(frozen=True)
class PeerOptions:
    """What can be typed about a peer; None is: as before, or the default for a new one."""

    name: Name
    address: Address
    tls: Annotated[Flag, _flag("--tls/--no-tls", "Talk to it over TLS.")] = None
    tls_name: Annotated[
        str | None, _value("--tls-name", "NAME", "The name that its certificate must have; by default the host.")
    ] = None
    calling: Annotated[str | None, _value("--as", "AET", "Our AE title to it; by default that of the settings.")] = None
    contexts: Annotated[
        str | None,
        _value("--contexts", "LIST", "The list of presentation contexts to send with: dbx, xd, or your own."),
    ] = None
    prefer: Annotated[
        list[str] | None,
        _value(
            "--prefer",
            "SYNTAX",
            "A transfer syntax to prefer, by keyword or UID; can be given again. 'none' for no preference.",
        ),
    ] = None
    lossy: Annotated[
        str | None,
        _value(
            "--lossy",
            "SYNTAX",
            "Compress with loss where there is no other way: JPEGBaseline8Bit, "
            "JPEGExtended12Bit or JPEG2000; 'none' for never.",
        ),
    ] = None
    lenient: Annotated[
        Flag,
        _flag("--lenient/--strict", "Take status 0111 and every Bxxx for a warning, or only the three of C-STORE."),
    ] = None
    retries: Annotated[int | None, _value("--retries", "N", "How often a failed send is tried again.")] = None
    retry_delay: Annotated[
        Seconds, _value("--retry-delay", "S", "Before the first retry, doubled with each further one.")
    ] = None
    concurrency: Annotated[int | None, _value("--concurrency", "N", "Send jobs to it at once.")] = None
    max_pdu: Annotated[int | None, _value("--max-pdu", "BYTES", "The longest PDU to offer and to send.")] = None
    artim: Annotated[Seconds, _value("--artim", "S", "Its ARTIM timer.")] = None
    connect_timeout: Annotated[Seconds, _value("--connect-timeout", "S", "For connecting to it.")] = None
    response_timeout: Annotated[Seconds, _value("--response-timeout", "S", "For each of its responses.")] = None
    may_store: Annotated[Flag, _flag("--store/--no-store", "Whether it may store here.")] = None
    may_query: Annotated[Flag, _flag("--query/--no-query", "Whether it may query here.")] = None
    may_retrieve: Annotated[Flag, _flag("--retrieve/--no-retrieve", "Whether it may retrieve from here.")] = None
    may_commit: Annotated[Flag, _flag("--commit/--no-commit", "Whether it may ask for storage commitment here.")] = None
    send: Annotated[Flag, _flag("--send/--no-send", "Whether we may send to it.")] = None
    ask: Annotated[
        Flag, _flag("--ask/--no-ask", "Whether we may query it, retrieve from it and ask it for commitment.")
    ] = None
    data: Data = None
    as_json: Json = False

    def fields_of_peer(self) -> dict[str, Any]:
        """The fields that were given, by the names of ``services.peers.Peer``."""
        given = {
            "tls": self.tls,
            # A certificate's name makes no sense without TLS: it goes with it.
            "tls_name": "" if self.tls is False and self.tls_name is None else self.tls_name,
            "calling_ae_title": self.calling,
            "context_list": self.contexts,
            "preferred_syntaxes": self._preferred(),
            "lossy_syntax": self._lossy(),
            "lenient_statuses": self.lenient,
            "retries": self.retries,
            "retry_delay_s": self.retry_delay,
            "concurrency": self.concurrency,
            "max_pdu_bytes": self.max_pdu,
            "artim_s": self.artim,
            "connect_s": self.connect_timeout,
            "response_s": self.response_timeout,
            "may_store": self.may_store,
            "may_query": self.may_query,
            "may_retrieve": self.may_retrieve,
            "may_commit": self.may_commit,
            "send": self.send,
            **dict.fromkeys(("query", "retrieve", "commit"), self.ask),
        }
        return {name: value for name, value in given.items() if value is not None}

    def _preferred(self) -> tuple[str, ...] | None:
        if not self.prefer:
            return None
        if self.prefer == ["none"]:
            return ()
        return tuple(transfer_syntax_of(text, "--prefer") for text in self.prefer)

    def _lossy(self) -> str | None:
        if self.lossy is None or self.lossy == "none":
            return None if self.lossy is None else ""
        return transfer_syntax_of(self.lossy, "--lossy")


@contextlib.contextmanager
def _peers(data: Path | None) -> Iterator[Peers]:
    from radfuse.app import open_peers

    with contextlib.closing(open_peers(settings_of(data))) as known:
        yield known


@app.command()
@taking(PeerOptions)
def add(options: PeerOptions) -> None:
    """Add a peer, or change the one of this name: its address and what is given; the rest stays."""
    from radfuse.services import peers

    with wrong_use():
        given = options.fields_of_peer()
        peer = peers.Peer.parse(options.address, options.name)
    with _peers(options.data) as known, wrong_use():
        before = {found.name: found for found in known.all()}.get(options.name, peer)
        changed = dataclasses.replace(before, ae_title=peer.ae_title, host=peer.host, port=peer.port, **given)
        known.add(changed)
    if options.as_json:
        write_object(_facts(changed))
    else:
        say(f"{changed.name} is {changed.ae_title} at {changed.host} port {changed.port}{_over_tls(changed)}")


def _over_tls(peer: Peer) -> str:
    return " over TLS" if peer.tls else ""


@app.command("list")
def list_peers(data: Data = None, as_json: Json = False) -> None:
    """List the configured peers and what they may do here."""
    rows: list[dict[str, object]] = []
    if settings_of(data).data.is_dir():
        with _peers(data) as known:
            rows = [_facts(peer) for peer in known.all()]
    if not write_rows(rows, _IN_A_TABLE, as_json=as_json) and not as_json:
        say("No peers are configured. Add one with: radfuse peers add NAME AET@HOST:PORT")


@app.command()
def show(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Show everything that is configured for a peer."""
    if not settings_of(data).data.is_dir():
        raise UnknownPeer(name)
    with _peers(data) as known:
        peer = {found.name: found for found in known.all()}.get(name)
    if peer is None:
        raise UnknownPeer(name)
    if as_json:
        write_object(_facts(peer))
    else:
        write_table([{"Setting": key, "Value": _shown(value)} for key, value in _facts(peer).items()])


@app.command()
def remove(name: Name, data: Data = None, as_json: Json = False) -> None:
    """Remove a peer."""
    if not settings_of(data).data.is_dir():
        raise UnknownPeer(name)
    with _peers(data) as known:
        known.remove(name)
    if as_json:
        write_object({"Name": name})
    else:
        say(f"{name} is removed")


@app.command("test")
def echo_configured(name: PeerName, from_title: From = None, data: Data = None, as_json: Json = False) -> None:
    """Ask a peer whether it is there (C-ECHO), and what it would accept from us."""
    echo_peer(settings_of(data), name, from_title, as_json, is_test=True)


def _facts(peer: Peer) -> dict[str, object]:
    """Everything about a peer; None is: as the settings say."""
    return {
        "Name": peer.name,
        "AETitle": peer.ae_title,
        "Host": peer.host,
        "Port": peer.port,
        "TLS": peer.tls,
        "TLSName": peer.tls_name,
        "CallingAETitle": peer.calling_ae_title,
        "MayStore": peer.may_store,
        "MayQuery": peer.may_query,
        "MayRetrieve": peer.may_retrieve,
        "MayCommit": peer.may_commit,
        "Send": peer.send,
        "Query": peer.query,
        "Retrieve": peer.retrieve,
        "Commit": peer.commit,
        "ContextList": peer.context_list,
        "PreferredSyntaxes": list(peer.preferred_syntaxes),
        "LossySyntax": peer.lossy_syntax,
        "LenientStatuses": peer.lenient_statuses,
        "Retries": peer.retry_count,
        "RetryDelay": peer.retry_delay_s,
        "Concurrency": peer.concurrency,
        "MaxPDU": peer.max_pdu_bytes,
        "ARTIM": peer.artim_s,
        "ConnectTimeout": peer.connect_s,
        "ResponseTimeout": peer.response_s,
    }


def _shown(value: object) -> object:
    """A value for people: names for transfer syntaxes, words for what is not set."""
    if value is None:
        return "as in the settings"
    if isinstance(value, list):
        return [f"{syntax_of(uid).name} ({uid})" if syntax_of(uid).name != uid else uid for uid in value] or "-"
    return "-" if value == "" else value
