"""What routing needs of the process that runs it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radfuse.archive import Archive
from radfuse.jobs import Jobs
from radfuse.services.peers import Peer, Peers
from radfuse.services.rules import Rules


@dataclass(frozen=True, slots=True)
class RoutingSurroundings:
    """``open_archive`` gives the archive of a database, which stays open; ``our_title`` who we are to a peer."""

    open_archive: Callable[[str], Archive]
    jobs: Jobs
    peers: Peers
    rules: Rules
    our_title: Callable[[Peer], str]
