"""One small object of every SOP class that we write, each built by its own room, with what it refers to."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset

from radfuse.geometry import Affine, Chain, Contour, DisplacementField, Grid, Structure
from radfuse.objects.common import Code, reference_to
from radfuse.objects.ko import KeyObjects, build_key_objects
from radfuse.objects.pdf import Document, build_encapsulated_pdf
from radfuse.objects.pr import HOT_IRON, Blend, Naming, View, Window, build_blending, build_presentation
from radfuse.objects.reg import (
    CONTENT_BASED,
    NewRegistration,
    build_deformable_registration,
    build_spatial_registration,
)
from radfuse.objects.rtstruct import build_structure_set
from radfuse.objects.sc import Capture, build_capture
from radfuse.objects.seg import Content, NewSegment, SegmentationKind, SegmentFacts, build_segmentation
from radfuse.objects.series import build_series
from radfuse.objects.sr import (
    Coordinates,
    Measurement,
    MeasurementGroup,
    MeasurementReport,
    ObjectReference,
    Region,
    build_measurement_report,
)
from tests.support.resampled import FRAME, making, provenance, series, signal, sources, volume

GRID = Grid.of((4, 10, 12), (2.0, 2.0, 3.0), (-20.0, -30.0, 0.0), FRAME)
"""The grid of the made-up source images."""

_TISSUE = Code("85756007", "SCT", "Tissue")
_WINDOW = Window(40.0, 400.0)
CT = sources("CT")
PT = sources("PT")


def _resampled(modality: str) -> Dataset:
    images = sources(modality)
    return next(
        build_series(volume(modality, signal(modality)), images, series(), provenance(images), making(), padding=None)
    )


def _captured(capture: Capture, single: bool = False) -> Dataset:
    return build_capture(capture, CT, series(), provenance(CT), making(), single=single)


def _segmented(kind: SegmentationKind) -> Dataset:
    inside = np.zeros(GRID.shape, bool)
    inside[1:3, 3:6, 4:9] = True
    voxels = inside.astype(np.float32) if kind is SegmentationKind.FRACTIONAL else inside
    facts = SegmentFacts("Lesion", _TISSUE, _TISSUE, "SEMIAUTOMATIC", "threshold")
    return build_segmentation(
        [NewSegment(facts, voxels)],
        GRID,
        CT,
        content=Content(kind=kind),
        provenance=provenance(CT),
        making=making(),
    )


def _structured() -> Dataset:
    square = np.array([[-10, -20, 3], [0, -20, 3], [0, -12, 3], [-10, -12, 3]], float)
    structure = Structure("GTV", FRAME, (Contour(square),), kind="GTV")
    return build_structure_set([structure], CT, label="CONTOURS", provenance=provenance(CT), making=making())


def _measured() -> Dataset:
    image = ObjectReference(CT[1].SOPClassUID, CT[1].SOPInstanceUID)
    region = Region(Coordinates("POLYLINE", ((2.0, 2.0), (6.0, 2.0), (6.0, 6.0), (2.0, 2.0))), image)
    length = Measurement(Code("410668003", "SCT", "Length"), 12.5, Code("mm", "UCUM", "millimeter"))
    group = MeasurementGroup("Lesion 1", "2.25.771", (length,), (region,))
    return build_measurement_report(
        MeasurementReport((group,)),
        CT[:1],
        [reference_to(CT[1])],
        provenance=provenance(CT),
        series=series(),
        making=making(),
    )


def _picked() -> Dataset:
    selection = KeyObjects(tuple(map(reference_to, CT)), description="those that matter")
    return build_key_objects(selection, CT[:1], provenance=provenance(CT), series=series(), making=making())[0]


def _printed() -> Dataset:
    document = Document(b"%PDF-1.4\n%%EOF\n", "Report", references=(reference_to(CT[0]),))
    return build_encapsulated_pdf(document, CT[0], provenance=provenance(CT), series=series(), making=making())


def _presented(coloured: bool) -> Dataset:
    view = View(tuple(CT), _WINDOW, palette=HOT_IRON if coloured else None)
    return build_presentation(view, Naming("VIEW"), provenance=provenance(CT), series=series(), making=making())


def _blended() -> Dataset:
    blend = Blend(View(tuple(CT), _WINDOW), View(tuple(PT), Window(5000.0, 10000.0)), HOT_IRON, 0.5)
    return build_blending(blend, Naming("FUSED"), provenance=provenance(CT), series=series(), making=making())


def _registered(transform: Chain) -> Dataset:
    images = tuple(map(reference_to, CT)), tuple(map(reference_to, PT))
    # One frame of reference on both sides, as of two breathing states.
    new = NewRegistration(FRAME, FRAME, transform, CONTENT_BASED, fixed_images=images[0], moving_images=images[1])
    if transform.is_affine:
        return build_spatial_registration(new, CT[0], provenance=provenance(CT), making=making())
    return build_deformable_registration(new, CT[0], provenance=provenance(CT), making=making()).ds


_SHIFT = Affine.of(np.eye(3), (1.0, 2.0, 3.0))
_FIELD = DisplacementField(GRID, np.ones((*GRID.shape, 3), np.float32))
_BYTES = np.zeros((2, 6, 8), np.uint8)

EXAMPLES: dict[str, Callable[[], Dataset]] = {
    "CT": lambda: _resampled("CT"),
    "MR": lambda: _resampled("MR"),
    "PT": lambda: _resampled("PT"),
    "NM": lambda: _resampled("NM"),
    "SC single": lambda: _captured(Capture(np.zeros((1, 6, 8, 3), np.uint8), False), single=True),
    "SC single bit": lambda: _captured(Capture(_BYTES > 0, False)),
    "SC byte": lambda: _captured(Capture(_BYTES, False, frame_time_ms=100.0)),
    "SC word": lambda: _captured(Capture(_BYTES.astype(np.uint16), False)),
    "SC true colour": lambda: _captured(Capture(np.zeros((2, 6, 8, 3), np.uint8), False, frame_time_ms=100.0)),
    "SEG binary": lambda: _segmented(SegmentationKind.BINARY),
    "SEG fractional": lambda: _segmented(SegmentationKind.FRACTIONAL),
    "SEG label map": lambda: _segmented(SegmentationKind.LABELMAP),
    "RTSTRUCT": _structured,
    "SR": _measured,
    "KO": _picked,
    "PDF": _printed,
    "PR grayscale": lambda: _presented(False),
    "PR pseudo-colour": lambda: _presented(True),
    "PR blending": _blended,
    "REG": lambda: _registered(Chain((_SHIFT,))),
    "DREG": lambda: _registered(Chain((_FIELD, _SHIFT))),
}
