"""The CT and MR of ``two_series`` in an archive, registered, with a ball drawn on the MR as contours and as voxels."""

from __future__ import annotations

import io
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from radfuse.archive import Archive
from radfuse.geometry import Chain, DisplacementField, FrameOfReference, Grid, Mask
from radfuse.objects.common import codes, encode
from radfuse.objects.rtstruct import OtherContour, Roi, build_structure_set
from radfuse.objects.seg import Content, NewSegment, SegmentFacts, build_segmentation
from radfuse.roi import tracing
from radfuse.services.contours import grid_of, images_of
from radfuse.services.import_media import Verdict, import_files, import_stream
from radfuse.services.new_regions import headers_of
from tests.support.made import centres, made_from, making
from tests.support.registered import deformable, spatial
from tests.support.two_series import CT_SERIES, FRAME_OF_REFERENCE_UID, MR_SERIES, TRUTH, TwoSeries, write_two_series

CENTRE_CT: Final = np.array([5.0, -4.0, 3.0])
"""Where the ball lies in the CT, mm."""
RADIUS_MM: Final = 14.0
_ROOTS: Final = itertools.count(300)


@dataclass(frozen=True)
class Kept:
    """SOP Instance UIDs."""

    registration: str
    structures: str
    segmentation: str


def keep(archive: Archive, ds: Dataset) -> str:
    """Store an object like any guest's; its SOP Instance UID."""
    imported = import_stream(archive, "object", io.BytesIO(encode(ds)))
    assert imported.verdict is Verdict.STORED, imported.reason
    return str(ds.SOPInstanceUID)


def two_in(archive: Archive, folder: Path) -> TwoSeries:
    """Both series, and nothing that joins them."""
    two = write_two_series(folder)
    assert len(list(import_files(archive, two.files))) == len(two.files)
    return two


def fill_archive(archive: Archive, folder: Path, *, bent: bool = False) -> Kept:
    """Both series, a registration (a matrix; or with a deformation before it), and the ball on the MR."""
    two_in(archive, folder)
    ct, mr = (headers_of(images_of(archive, series)) for series in (CT_SERIES, MR_SERIES))
    chain = Chain((TRUTH,))
    made = deformable(bend().then(chain), ct, mr).ds if bent else spatial(chain, ct, mr)
    made.SOPInstanceUID = f"2.25.{next(_ROOTS)}"
    grid = grid_of(images_of(archive, MR_SERIES))
    ball = Mask(grid, np.linalg.norm(centres(grid) - TRUTH.apply(CENTRE_CT), axis=-1) <= RADIUS_MM)
    drawn = tracing.trace(ball, "GTV")
    point = OtherContour("POINT", TRUTH.apply(CENTRE_CT)[None])
    structures = build_structure_set(
        [Roi(drawn, (point,))], mr, label="PLAN", provenance=made_from(mr), making=making(root=next(_ROOTS))
    )
    facts = SegmentFacts("Tumour", codes.TISSUE, codes.TISSUE, colour=(200, 0, 0))
    segmentation = build_segmentation(
        [NewSegment.of(facts, ball)],
        grid,
        mr,
        content=Content(),
        provenance=made_from(mr),
        making=making(root=next(_ROOTS)),
    )
    return Kept(*(keep(archive, ds) for ds in (made, structures, segmentation)))


def bend() -> Chain:
    """A smooth deformation of some millimetres around the origin of the CT."""
    grid = Grid.of((31,) * 3, (4, 4, 4), (-60,) * 3, FrameOfReference(FRAME_OF_REFERENCE_UID))
    z, y, x = (np.indices(grid.shape) - 15) * 4.0
    vectors = np.stack((3 * np.sin(y / 20), 2 * np.sin(z / 25), 3 * np.sin(x / 25)), axis=-1)
    return Chain((DisplacementField(grid, vectors.astype(np.float32)),))
