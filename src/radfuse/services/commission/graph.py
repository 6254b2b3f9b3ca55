"""The registration graph: frames that no object joins directly, and frames that none joins at all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from radfuse.geometry import Affine
from radfuse.services.commission.bench import Bench, Series
from radfuse.services.commission.model import Row
from radfuse.services.commission.rigid import CUBE_MM
from radfuse.services.registrations import NotRegistered, path

PART: Final = "graph"


def graph_rows(bench: Bench, one: Series, other: Series, truth: Affine, lonely_uid: str) -> Iterator[Row]:
    """From one moving series to another, by way of the fixed one; and to a series that nothing is registered with."""
    test = f"{other.scan.modality} to {one.scan.modality}, by way of CT"
    coarser_mm = max(*one.volume.grid.spacing_mm, *other.volume.grid.spacing_mm)
    found = path(bench.archive, one.scan.series_uid, other.scan.series_uid)
    off = np.inf
    if not isinstance(found, NotRegistered):
        off = float(np.linalg.norm(found.chain.apply(CUBE_MM) - truth.apply(CUBE_MM), axis=-1).max())
    yield Row(PART, test, "largest error at a corner", "mm", coarser_mm, off)
    told = path(bench.archive, one.scan.series_uid, lonely_uid)
    yield Row(
        PART, "unregistered PET", "paths to what is not registered", "1", 0, float(not isinstance(told, NotRegistered))
    )
