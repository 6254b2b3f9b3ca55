"""Two hundred associations at once, some of them stalled in the middle of a PDU: who is still served?"""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import partial
from statistics import quantiles

from benchmarks import dimse, peers, store, tools
from benchmarks.common import BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import SMALL, FileSet, write_files
from benchmarks.scu import VERIFICATION, Association, Proposal

ABOUT = "Idle, stalled and working associations at once: a stalled one sent half a PDU and then nothing."
_ECHOES = 5
_PATIENCE_S = 10.0


def run(settings: Settings, results: Results) -> None:
    """The same with 20 and with 200 open associations, a quarter of them stalled."""
    tools.require("storescu")
    everyone = (peers.RADFUSE, peers.ORTHANC, peers.STORESCP, peers.PYNETDICOM)
    contestants = peers.present(everyone, settings, results)
    with folder_in(settings.scratch) as folder:
        files = write_files(folder / "files", SMALL, settings.amount(1000, 100))
        store.warm(files)
        for open_ones in (20, 200):
            once = partial(_once, open_ones, files, settings, results)
            interleaved(settings.runs, contestants, once, results)


def _once(open_ones: int, files: FileSet, settings: Settings, results: Results, peer: peers.Peer) -> None:
    with (
        folder_in(settings.scratch) as folder,
        peers.serving(peer, folder, several=True) as running,
        ExitStack() as stack,
    ):
        begin = time.perf_counter()
        waiting = _open(running.port, open_ones, stack)
        opened_s = time.perf_counter() - begin
        for association in waiting[::4]:
            association.socket.sendall(dimse.pdu(dimse.P_DATA, bytes(1000))[:500])
        served = [association for place, association in enumerate(waiting) if place % 4]
        echoes_ms = _echo_times(served, open_ones)
        seconds = tools.storescu(running.port, [files.folder], nodelay=True)
        rss_mib = running.memory.mib()
    case = f"{open_ones} associations, a quarter stalled"
    results.add(Value(f"{case}: opened", peer.name, "associations/s", open_ones / opened_s))
    p95_ms = quantiles(echoes_ms, n=20)[-1]
    results.add(Value(f"{case}: echo p95", peer.name, "ms", p95_ms, more_is_better=False))
    beside = f"{case}: small objects stored beside"
    results.add(Value(beside, peer.name, "objects/s", files.count / seconds, rss_mib=rss_mib))


def _echo_times(served: list[Association], wanted: int) -> list[float]:
    """Milliseconds of each echo, on one association after the other, several times round."""
    try:
        return [1000 * association.echo() for _ in range(_ECHOES) for association in served]
    except (OSError, EOFError) as error:
        raise BenchmarkError(f"of {wanted} associations at once one was not served ({error})") from None


def _open(port: int, wanted: int, stack: ExitStack) -> list[Association]:
    """Open associations that end by closing the socket, for a stalled one cannot be released."""
    opened: list[Association] = []
    while len(opened) < wanted:
        try:
            proposal = Proposal([VERIFICATION])
            association = Association(port, peers.CALLED_AE, peers.CALLING_AE, proposal, timeout_s=_PATIENCE_S)
        except (OSError, EOFError, BenchmarkError) as error:
            raise BenchmarkError(f"of {wanted} associations at once {len(opened)} were accepted ({error})") from None
        stack.callback(association.socket.close)
        opened.append(association)
    return opened
