"""C-STORE: objects a second into an empty archive, one and four associations, with and without Nagle's algorithm."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from pathlib import Path

from benchmarks import peers, tools
from benchmarks.common import Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import CT, SMALL, FileSet, Kind, write_files

ABOUT = "C-STORE from DCMTK's storescu into an empty archive that was started for this run."


class Network(Enum):
    """Whether Nagle's algorithm is off at the sender and at the receiver (a receiver may decide for itself)."""

    NODELAY = "TCP_NODELAY"
    STOCK_SENDER = "stock storescu (Nagle)"
    STOCK = "stock on both sides"


@dataclass(frozen=True, slots=True)
class Case:
    """One way of sending. With Nagle's algorithm each object waits for delayed acknowledgements: it gets fewer."""

    kind: Kind
    associations: int
    network: Network
    full: int
    quick: int

    @property
    def name(self) -> str:
        """As it stands in the table."""
        size = "CT 0.5 MB" if self.kind is CT else "small 9 KB"
        several = "1 association" if self.associations == 1 else f"{self.associations} associations"
        return f"{size}, {several}, {self.network.value}"


CASES = (
    Case(CT, 1, Network.NODELAY, 400, 40),
    Case(SMALL, 1, Network.NODELAY, 2000, 200),
    Case(CT, 4, Network.NODELAY, 400, 40),
    Case(SMALL, 4, Network.NODELAY, 2000, 200),
    Case(CT, 1, Network.STOCK_SENDER, 100, 12),
    Case(SMALL, 1, Network.STOCK_SENDER, 200, 24),
    Case(CT, 1, Network.STOCK, 60, 12),
    Case(SMALL, 1, Network.STOCK, 100, 24),
)


def run(settings: Settings, results: Results) -> None:
    """Every case, every contestant, ``runs`` times in turn."""
    tools.require("storescu")
    everyone = (peers.RADFUSE, peers.ORTHANC, peers.STORESCP, peers.PYNETDICOM)
    contestants = peers.present(everyone, settings, results)
    for case in CASES:
        if not settings.wants(case.name):
            continue
        with folder_in(settings.scratch) as folder:
            files = write_files(folder / "files", case.kind, settings.amount(case.full, case.quick))
            warm(files)
            if case.associations > 1 and peers.STORESCP in contestants:
                results.remark(
                    "DCMTK storescp runs with --fork for several associations: stock, it serves one at a time."
                )
            interleaved(settings.runs, contestants, partial(_once, case, files, settings, results), results)


def _once(case: Case, files: FileSet, settings: Settings, results: Results, peer: peers.Peer) -> None:
    several = case.associations > 1
    nodelay = case.network is not Network.STOCK
    with (
        folder_in(settings.scratch) as folder,
        peers.serving(peer, folder, several=several, nodelay=nodelay) as running,
    ):
        what = files.parts if several else [files.folder]
        seconds = tools.storescu(running.port, what, case.network is Network.NODELAY)
        rss_mib = running.memory.mib()
    results.add(Value(case.name, peer.name, "objects/s", files.count / seconds, rss_mib=rss_mib))


def warm(files: FileSet) -> None:
    """Read the files once, so that the first contestant does not pay for the disk."""
    for path in sorted(Path(files.folder).rglob("*.dcm")):
        path.read_bytes()
