"""A CT of 512 x 512 x 300 with a PET of 200 x 200 x 300, and the demonstration, in Chromium without a graphics card."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from statistics import median
from urllib.error import URLError

import numpy as np
import numpy.typing as npt
from playwright.sync_api import Browser, Page, sync_playwright
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from benchmarks import peers, viewing_store
from benchmarks.common import OURS, BenchmarkError, Results, Settings, Value, folder_in, interleaved
from benchmarks.memory import descendants
from radfuse.archive import Archive, ArchiveSettings
from radfuse.geometry import Affine, Grid
from radfuse.services.commission import scans
from radfuse.services.demo import STUDY_UID, add_demo_study

ABOUT = "A large PET/CT in three fused panes of Chromium under SwiftShader: times and the memory of all its processes."
_PEER = Path(__file__).resolve().parent / "cornerstone" / "dist"
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
_READY_S, _DRAWN_MS = 60.0, 120_000.0
_STEPS = 20
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)

_OUR_STEP = """pane => document.querySelector(`[data-pane=${pane}] canvas`).parentElement
  .dispatchEvent(new WheelEvent('wheel', {deltaY: 120, bubbles: true, cancelable: true}))"""
_STEP_MS = """async ([pane, count, turn]) => { const step = eval(turn), all = [];
  for (let each = 0; each < count; each++) { const start = performance.now(); step(pane);
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    all.push(performance.now() - start); } return all; }"""
_MARK = "name => performance.getEntriesByType('mark').filter(each => each.name.startsWith(name)).length"


@dataclass(frozen=True, slots=True)
class Page3:
    """Where the pair is shown, how a pane of it is scrolled, and how many series come one by one."""

    name: str
    address: str
    step: str
    series: int


def run(settings: Settings, results: Results) -> None:
    """First picture, all voxels, scrolling, memory, in turn with the peer where it was built; storing beside it."""
    slices = settings.amount(300, 60)
    if settings.wants("demo"):
        with folder_in(settings.scratch) as folder, _served(_demo(folder)) as address:
            page = Page3(OURS, f"{address}/workstation/new?fresh&study={STUDY_UID}", _OUR_STEP, 2)
            interleaved(settings.runs, [page], partial(_once, "demo PET/CT", results), results)
    with folder_in(settings.scratch) as folder, _served(_imported(folder, slices)) as address:
        if settings.wants("slices"):
            _large(settings, results, address, slices)
        if settings.wants("storing"):
            series = [scans.uid_of(f"series benchmark {modality}") for modality in (scans.CT, scans.PT)]
            viewing_store.measure(settings, results, folder / "data", address, series)


def _large(settings: Settings, results: Results, address: str, slices: int) -> None:
    with _peer(slices, results) as peer:
        study = scans.uid_of("benchmark study")
        pages = [Page3(OURS, f"{address}/workstation/new?fresh&study={study}", _OUR_STEP, 2), *peer]
        wanted = [
            page for page in pages if not settings.only or any(each in page.name.lower() for each in settings.only)
        ]
        interleaved(settings.runs, wanted, partial(_once, f"{slices} slices", results), results)
    results.remark("Cornerstone3D makes its voxels itself: its times are without server and network")


def _once(case: str, results: Results, page: Page3) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=list(_ARGUMENTS))
        try:
            _measure(case, results, page, browser)
        finally:
            browser.close()


def _measure(case: str, results: Results, shown: Page3, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(shown.address)
    peak = _watched(page, partial(_marks, page, "radfuse all voxels", shown.series))
    add = partial(_add, results, shown.name)
    for name in ("radfuse first picture", "radfuse all voxels"):
        at_ms = page.evaluate(
            "n => performance.getEntriesByType('mark').filter(m => m.name.startsWith(n)).at(-1).startTime", name
        )
        add(f"{case}, {name.removeprefix('radfuse ')}", "s", at_ms / 1000)
    for pane in ("axial", "coronal", "sagittal"):
        add(f"{case}, scroll step {pane}", "ms", median(page.evaluate(_STEP_MS, [pane, _STEPS, shown.step])))
    add(f"{case}, memory at most", "MiB", max(peak, _memory_mib()))
    add(f"{case}, memory then", "MiB", _memory_mib())


def _add(results: Results, who: str, case: str, unit: str, value: float) -> None:
    results.add(Value(case, who, unit, float(value), more_is_better=False))


def _marks(page: Page, name: str, count: int) -> bool:
    return bool(page.evaluate(_MARK, name) >= count)


def _watched(page: Page, is_done: Callable[[], bool]) -> float:
    """The most memory until it is done."""
    peak, deadline = 0.0, time.monotonic() + _DRAWN_MS / 1000
    while not is_done():
        if time.monotonic() > deadline:
            raise BenchmarkError("not everything was drawn in time")
        peak = max(peak, _memory_mib())
        page.wait_for_timeout(200)
    return peak


def _memory_mib() -> float:
    """Proportional set size of all Chromium processes below this one: shared pages count once."""
    total = 0
    for process in descendants(os.getpid()):
        with suppress(OSError):
            if b"chromium" in Path(f"/proc/{process}/cmdline").read_bytes():
                total += sum(map(int, _PSS.findall(Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii"))))
    return total / 1024


def _pair(folder: Path, slices: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(1)
    for name, edge, spacing_mm in ((scans.CT, 512, 0.9), (scans.PT, 200, 2.5)):
        start = [-(edge - 1) / 2 * spacing_mm] * 2 + [0.0]
        grid = Grid((slices, edge, edge), Affine.of(np.diag((spacing_mm, spacing_mm, 3.0)), np.array(start)), _FRAME)
        noise = random.normal(0, 1, grid.shape).astype(np.float32)
        voxels: npt.NDArray[np.float32] = noise * 40 if name == scans.CT else np.abs(noise)
        for index, image in enumerate(
            scans.images_of(scans.Scan(f"benchmark {name}", name, grid, lambda at: at), voxels)
        ):
            image.StudyInstanceUID = scans.uid_of("benchmark study")
            image.file_meta = FileMetaDataset()
            image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            image.save_as(folder / f"{name}{index:03d}.dcm", enforce_file_format=True)
    return folder


_FRAME = scans.frame_of("benchmark")


def _demo(folder: Path) -> Path:
    """A data folder with the demonstration."""
    with Archive(ArchiveSettings(folder / "data")) as archive:
        list(add_demo_study(archive))
    return folder / "data"


def _imported(folder: Path, slices: int) -> Path:
    """A data folder with the large pair."""
    data, files = folder / "data", _pair(folder / "files", slices)
    command = peers.radfuse("import", "--data", str(data), str(files))
    subprocess.run(command, env=peers.environment(), capture_output=True, check=True)
    return data


@contextmanager
def _served(data: Path) -> Iterator[str]:
    port = peers.free_port()
    process = subprocess.Popen(
        peers.radfuse("web", "--data", str(data), "--http-port", str(port)),
        env=peers.environment(),
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address)
        yield address
    finally:
        peers.stop(process)


def _await(address: str) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        with suppress(URLError, OSError), urllib.request.urlopen(f"{address}/healthz"):  # noqa: S310 - of loopback
            return
        time.sleep(0.1)
    raise BenchmarkError("the web server was not ready in time")


@contextmanager
def _peer(slices: int, results: Results) -> Iterator[list[Page3]]:
    """The same three panes by Cornerstone3D, where somebody built its page."""
    if not (_PEER / "index.html").exists():
        results.remark("Cornerstone3D is missing: `npm install && npm run build` in benchmarks/cornerstone")
        yield []
        return

    class Quiet(SimpleHTTPRequestHandler):
        def __init__(self, *given: object) -> None:
            super().__init__(*given, directory=str(_PEER))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Nobody asked."""

    server = ThreadingHTTPServer((peers.HOST, 0), Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_address[1]}/?slices={slices}"
        yield [Page3("Cornerstone3D", address, "window.scrollPane", 1)]
    finally:
        server.shutdown()
