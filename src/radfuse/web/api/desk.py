"""What the API is given by whoever starts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from radfuse.archive import Archive
from radfuse.core.errors import UnknownDatabase, UnknownPeer
from radfuse.jobs import Jobs
from radfuse.services.access_log import AccessLog
from radfuse.services.associating import Caller
from radfuse.services.context_lists import ContextLists
from radfuse.services.holdings import Holdings
from radfuse.services.node_facts import CertificateOrder, NodeFacts, SettingFacts, SettingValue, TlsOffer
from radfuse.services.peers import Peer, Peers
from radfuse.services.rules import Rules
from radfuse.services.users import Accounts
from radfuse.services.workspaces import Workspaces
from radfuse.web.surroundings import WebSurroundings


class NodeDesk(Protocol):
    """This node itself: how it is set, and how it runs."""

    def settings(self) -> Sequence[SettingFacts]:
        """Every setting. Raises ConfigurationError for a settings file that cannot be read."""

    def change_settings(self, changes: Mapping[str, SettingValue | None]) -> None:
        """Change settings by key, None for the default. Raises ConfigurationError; nothing is changed then."""

    def tls(self) -> TlsOffer:
        """DICOM over TLS as it is offered."""

    def make_certificate(self, order: CertificateOrder) -> Mapping[str, Path]:
        """Have a certificate made; what its owner needs, by the names of the files.

        Raises ConfigurationError, and AlreadyThere unless it is to be renewed.
        """

    def running(self) -> NodeFacts:
        """How the service runs."""


@dataclass(frozen=True, slots=True)
class ApiDesk:
    """The services behind the API, open for as long as it runs."""

    databases: Mapping[str, WebSurroundings]
    """By name; the default one first."""
    jobs: Jobs
    peers: Peers
    context_lists: ContextLists
    rules: Rules
    caller_of: Callable[[Peer, str], Caller]
    """Who we are to a peer when called by an AE title (empty: as the peer is configured)."""
    node: NodeDesk
    accounts: Accounts
    access_log: AccessLog
    workspaces: Workspaces
    data: Path = Path()
    """The data folder: it holds the project keys of the anonymizer."""
    undo_s: float = 300.0
    """How long a deletion can be taken back."""
    public_url: str = ""
    """The address that browsers see; empty: what each request says it is."""
    export_folders: Sequence[Path] = ()
    """Folders of this machine that administrators may have media written into."""
    import_folders: Sequence[Path] = ()
    """Folders of this machine that administrators may have imported."""
    holdings: Mapping[str, Holdings] = field(init=False)
    """What each database holds, by its name."""

    def __post_init__(self) -> None:
        """Count each database in one place."""
        counting = {name: Holdings(each.archive) for name, each in self.databases.items()}
        object.__setattr__(self, "holdings", counting)

    def archive(self, database: str) -> Archive:
        """The archive of a database by its name. Raises UnknownDatabase."""
        found = self.databases.get(database)
        if found is None:
            raise UnknownDatabase(database)
        return found.archive

    def peer(self, name: str) -> Peer:
        """A configured peer by its name. Raises UnknownPeer, also for AET@HOST:PORT."""
        found = next((peer for peer in self.peers.all() if peer.name == name), None)
        if found is None:
            raise UnknownPeer(name)
        return found
