"""C-GET of one study: how fast a contestant gives back on the same association."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks import dimse, peers, store, tools
from benchmarks.common import BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.objects import CT, SMALL, FileSet, Kind, write_files
from benchmarks.scu import STUDY_ROOT_GET, Association, Proposal

ABOUT = "C-GET of one study, by a lean requestor that keeps nothing, and by DCMTK's `getscu --ignore`."
QUERY_LEVEL, STUDY_UID = 0x00080052, 0x0020000D


def run(settings: Settings, results: Results) -> None:
    """CT and small objects, both requestors in each run."""
    for program in ("storescu", "getscu"):
        tools.require(program)
    contestants = peers.present((peers.RADFUSE, peers.ORTHANC), settings, results)
    for kind, count in ((CT, settings.amount(400, 40)), (SMALL, settings.amount(2000, 200))):
        with folder_in(settings.scratch) as folder:
            files = write_files(folder / "files", kind, count, one_study=True)
            store.warm(files)
            interleaved(settings.runs, contestants, partial(_once, kind, files, settings, results), results)


def _once(kind: Kind, files: FileSet, settings: Settings, results: Results, peer: peers.Peer) -> None:
    requestors: dict[str, Callable[[int, str], float]] = {
        "lean requestor": partial(lean_get, sop_class_uid=kind.sop_class_uid, expected=files.count),
        "getscu": tools.getscu,
    }
    for name, get in requestors.items():
        case = f"C-GET {files.count} {kind.name}, {name}"
        if not settings.wants(case):
            continue
        with folder_in(settings.scratch) as folder, peers.serving(peer, folder) as running:
            tools.storescu(running.port, [files.folder], nodelay=True)
            seconds = get(running.port, files.study_uids[0])
            rss_mib = running.memory.mib()
        results.add(Value(case, peer.name, "objects/s", files.count / seconds, rss_mib=rss_mib))


def lean_get(port: int, study_uid: str, sop_class_uid: str, expected: int) -> float:
    """Seconds from opening the association until the final response."""
    begin = time.perf_counter()
    proposal = Proposal(
        classes=[STUDY_ROOT_GET, sop_class_uid],
        syntaxes=[dimse.EXPLICIT_LITTLE, dimse.IMPLICIT_LITTLE],
        provided=[sop_class_uid],
    )
    with Association(port, peers.CALLED_AE, peers.CALLING_AE, proposal) as association:
        received = association.get({QUERY_LEVEL: "STUDY", STUDY_UID: study_uid})
    if received != expected:
        raise BenchmarkError(f"{received} of {expected} objects came")
    return time.perf_counter() - begin
