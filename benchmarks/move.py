"""C-MOVE of one CT study to a lean sink: how fast a contestant sends."""

from __future__ import annotations

from functools import partial

from benchmarks import peers, store, tools
from benchmarks.common import BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import CT, SMALL, FileSet, Kind, write_files

ABOUT = "C-MOVE of one study, asked by DCMTK's movescu, to one and the same lean sink that keeps nothing."
PDU_BYTES = (16384, 131072)


def run(settings: Settings, results: Results) -> None:
    """CT and small objects; the sink announces the PDU length of DCMTK and Orthanc, and their largest."""
    for program in ("storescu", "movescu"):
        tools.require(program)
    contestants = peers.present((peers.RADFUSE, peers.ORTHANC), settings, results)
    for kind, count in ((CT, settings.amount(400, 40)), (SMALL, settings.amount(2000, 200))):
        with folder_in(settings.scratch) as folder:
            files = write_files(folder / "files", kind, count, one_study=True)
            store.warm(files)
            interleaved(settings.runs, contestants, partial(_once, kind, files, settings, results), results)


def _once(kind: Kind, files: FileSet, settings: Settings, results: Results, peer: peers.Peer) -> None:
    for pdu_bytes in PDU_BYTES:
        case = f"C-MOVE {files.count} {kind.name}, sink PDU {pdu_bytes}"
        if not settings.wants(case):
            continue
        with (
            folder_in(settings.scratch) as folder,
            peers.sink(pdu_bytes) as (sink_port, count),
            peers.serving(peer, folder, sink_port) as running,
        ):
            tools.storescu(running.port, [files.folder], nodelay=True)
            seconds = tools.movescu(running.port, files.study_uids[0])
            rss_mib = running.memory.mib()
            if (arrived := count()) != files.count:
                raise BenchmarkError(f"{arrived} of {files.count} objects arrived")
        results.add(Value(case, peer.name, "objects/s", files.count / seconds, rss_mib=rss_mib))
