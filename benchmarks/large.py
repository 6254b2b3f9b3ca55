"""One multi-frame object of 2 GB: stored, moved and got, and what memory the contestant needed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from pydicom.uid import MultiFrameGrayscaleWordSecondaryCaptureImageStorage

from benchmarks import peers, tools
from benchmarks.common import BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.get import lean_get
from benchmarks.headers import mr_header
from benchmarks.objects import save

ABOUT = "One multi-frame object, first stored, then moved to the lean sink, then got by the lean requestor."
SOP_CLASS = MultiFrameGrayscaleWordSecondaryCaptureImageStorage
STUDY_UID = "2.25.131245678901234567890123456789012345678"
_EDGE_PIXELS = 1024
_FRAME_BYTES = 2 * _EDGE_PIXELS**2


def run(settings: Settings, results: Results) -> None:
    """1,000 frames of 2 MiB: as large as the length stays below 2^31, which not every peer goes beyond."""
    for program in ("storescu", "movescu"):
        tools.require(program)
    contestants = peers.present((peers.RADFUSE, peers.ORTHANC, peers.STORESCP), settings, results)
    with folder_in(settings.scratch) as folder:
        path = folder / "large.dcm"
        write_large(path, settings.amount(1000, 50))
        interleaved(settings.runs, contestants, partial(_once, path, settings, results), results)


def write_large(path: Path, frames: int) -> None:
    """A secondary capture with one frame of content and the others as a hole in the file."""
    dataset = mr_header(1, 0)
    dataset.SOPClassUID, dataset.SOPInstanceUID = SOP_CLASS, f"{STUDY_UID}.1.1"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = STUDY_UID, f"{STUDY_UID}.1"
    dataset.Modality, dataset.NumberOfFrames, dataset.ConversionType = "OT", frames, "WSD"
    dataset.Rows = dataset.Columns = _EDGE_PIXELS
    save(path, dataset)
    with path.open("ab") as file:
        header = b"\xe0\x7f\x10\x00OW\0\0" + (frames * _FRAME_BYTES).to_bytes(4, "little")
        file.write(header + bytes(range(256)) * (_FRAME_BYTES // 256))
        file.truncate(file.tell() + (frames - 1) * _FRAME_BYTES)


def _once(path: Path, settings: Settings, results: Results, peer: peers.Peer) -> None:
    mebibytes = path.stat().st_size / 2**20
    with (
        folder_in(settings.scratch) as folder,
        peers.sink() as (sink_port, count),
        peers.serving(peer, folder, sink_port) as running,
    ):
        steps: dict[str, Callable[[], float]] = {"stored": lambda: tools.storescu(running.port, [path], nodelay=True)}
        if peer is not peers.STORESCP:
            steps["moved"] = lambda: tools.movescu(running.port, STUDY_UID)
            steps["got"] = lambda: lean_get(running.port, STUDY_UID, SOP_CLASS, 1)
        for step, seconds in steps.items():
            rate = mebibytes / seconds()
            case = f"object of {mebibytes:.0f} MiB {step}"
            results.add(Value(case, peer.name, "MiB/s", rate, rss_mib=running.memory.mib()))
        if peer is not peers.STORESCP and count() != 1:
            raise BenchmarkError("the object did not arrive at the sink")
