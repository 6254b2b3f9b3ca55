"""The whole commission, part by part, in an archive of its own."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from radfuse.archive import Archive, ArchiveSettings
from radfuse.geometry import Affine, Points
from radfuse.services.commission.bench import Bench, Series, known_regions
from radfuse.services.commission.deformable import deformable_rows
from radfuse.services.commission.exports import segmentation_rows, series_rows
from radfuse.services.commission.graph import graph_rows
from radfuse.services.commission.machine import this_machine
from radfuse.services.commission.model import Commission, Part, Progress, Row
from radfuse.services.commission.quantities import BALLS, quantity_rows
from radfuse.services.commission.rigid import rigid_rows
from radfuse.services.commission.scans import CT, MR, PT, Scan, uid_of
from radfuse.services.commission.sizes import DEFORMED_MOTION, Motion, Size, grid_of
from radfuse.services.commission.warp import Warp


def commission(size: Size, when: str, folder: Path | None = None, progress: Progress | None = None) -> Commission:
    """Everything, measured. ``folder`` gets the archive, and must be empty or new; None: it is thrown away.

    ``when`` goes into the result as it is. Whatever fails with an error ends the commission with it.
    """
    rows: list[Row] = []
    parts: list[Part] = []
    with contextlib.ExitStack() as opened:
        place = folder or Path(opened.enter_context(TemporaryDirectory(prefix="radfuse-commission-")))
        place.mkdir(parents=True, exist_ok=True)
        work = _Work(Bench(opened.enter_context(Archive(ArchiveSettings(place)))), size)
        todo = work.parts()
        for done, (name, measure) in enumerate(todo):
            if progress:
                progress(done, len(todo))
            begun_s = time.monotonic()
            rows += measure()
            parts.append(Part(name, time.monotonic() - begun_s))
        if progress:
            progress(len(todo), len(todo))
    return Commission(size.name, tuple(rows), tuple(parts), this_machine(), when)


Measure = Callable[[], Iterable[Row]]


class _Work:
    """The parts in order, and what they share."""

    def __init__(self, bench: Bench, size: Size) -> None:
        self._bench = bench
        self._size = size
        self._fixed: Series | None = None
        self._moved: dict[str, Series] = {}

    def parts(self) -> list[tuple[str, Measure]]:
        """Names, and what measures them."""
        todo: list[tuple[str, Measure]] = [("quantities", lambda: quantity_rows(self._bench, self._size))]
        for number, motion in enumerate(self._size.motions):
            for modality in self._size.registered:
                todo.append((f"rigid {modality} {number + 1}", self._rigid(modality, motion, number)))
        todo.append(("graph", self._graph))
        todo += [(f"deformable {modality}", self._deformable(modality)) for modality in self._size.deformed]
        return todo

    @property
    def fixed(self) -> Series:
        """The CT that rigid registrations lead from."""
        if self._fixed is None:
            self._fixed = self._bench.scanned(Scan("CT", CT, grid_of(self._size, CT, "fixed"), _as_it_lies))
        return self._fixed

    def _rigid(self, modality: str, motion: Motion, number: int) -> Measure:
        def measure() -> Iterator[Row]:
            name = f"{modality}, moved {number + 1}"
            grid = grid_of(self._size, modality, name)
            moving = self._bench.scanned(Scan(name, modality, grid, motion.transform.inverse().apply))
            self._moved.setdefault(modality, moving)
            yield from rigid_rows(self._bench, self.fixed, moving, motion, self._size.recipe)
            if not number and modality in self._size.exported:
                yield from series_rows(self._bench, self.fixed, moving, motion.transform)
                if modality == MR:
                    yield from segmentation_rows(self._bench, moving, known_regions(moving.scan))

        return measure

    def _graph(self) -> Iterator[Row]:
        """Both were registered with the fixed CT by the same motion, so that nothing lies between their frames."""
        lonely_uid = uid_of(f"series {BALLS}")
        return graph_rows(self._bench, self._moved[MR], self._moved[PT], Affine.identity(), lonely_uid)

    def _deformable(self, modality: str) -> Measure:
        def measure() -> Iterator[Row]:
            name, motion = f"{modality}, deformed", DEFORMED_MOTION.transform
            fixed = self._bench.scanned(Scan(name, modality, grid_of(self._size, modality, name), Warp().apply))
            name = f"CT beside {modality}, deformed"
            moving = self._bench.scanned(Scan(name, CT, grid_of(self._size, CT, name), motion.inverse().apply))
            yield from deformable_rows(self._bench, fixed, moving, self._size)

        return measure


def _as_it_lies(points_mm: Points) -> Points:
    return points_mm
