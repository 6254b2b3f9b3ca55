"""Transforms between frames of reference become registration objects (PS3.3 sections A.39, C.20.2, C.20.3)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.core.errors import FramesDiffer, InvalidObject
from radfuse.geometry import Affine, DisplacementField, Grid
from radfuse.objects.common import (
    Code,
    Item,
    Making,
    NewSeries,
    Provenance,
    Reference,
    add_common_instance_reference,
    add_provenance,
    code_sequence,
    decimal,
    new_object,
)
from radfuse.objects.reg.grids import StoredField, stored_field
from radfuse.objects.reg.matrices import matrix_type
from radfuse.objects.reg.methods import IDENTITY
from radfuse.objects.reg.model import (
    DEFORMABLE,
    SPATIAL,
    DeformableObject,
    FieldLoss,
    FieldStorage,
    NewRegistration,
    UsedFiducial,
)

_LABEL: Final = re.compile(r"[A-Z0-9_ ]{0,15}[A-Z0-9_]\Z")
_MOST_CHARACTERS: Final = 64
_PLACES: Final = 14
"""Decimals asked of a matrix; what fits into the 16 characters of a Decimal String is written."""


def build_spatial_registration(
    new: NewRegistration,
    source: Dataset,
    *,
    provenance: Provenance,
    making: Making,
    series: NewSeries | None = None,
) -> Dataset:
    """The Spatial Registration of a transform that is one matrix; ``source`` is an image of the fixed side.

    Its patient and study are the source's. It has an item for the fixed frame (identity) and one for the
    moving frame with the matrix from moving to fixed, which is the inverse of our transform (C.20.2.1.1).

    Raises InvalidObject for a deformation, an unknown frame of reference, one frame on both sides without
    images, or words that do not fit.
    """
    _check(new)
    if not new.transform.is_affine:
        raise InvalidObject(("a Spatial Registration holds a matrix, and the transform deforms",))
    ds = _started(SPATIAL, new, source, making, series or NewSeries("Spatial Registration"))
    fixed = _matrix_item(Affine.identity(), IDENTITY, "")
    fixed.FrameOfReferenceUID = new.fixed.uid
    _name_images(fixed, new.fixed_images)
    moving = _matrix_item(new.transform.affine().inverse(), new.method, new.comment)
    moving.FrameOfReferenceUID = new.moving.uid
    _name_images(moving, new.moving_images)
    if new.fiducials:
        moving.UsedFiducialsSequence = _used(new.fiducials)
    ds.RegistrationSequence = Items([fixed, moving])
    images = [*new.fixed_images, *new.moving_images]
    return _finished(ds, images, new.fiducials, provenance, making)


def build_deformable_registration(
    new: NewRegistration,
    source: Dataset,
    *,
    provenance: Provenance,
    making: Making,
    series: NewSeries | None = None,
    storage: FieldStorage | None = None,
) -> DeformableObject:
    """The Deformable Spatial Registration of a transform, and how far its grid is off the full deformation.

    Our direction is that of the object (from the Registered to the Source RCS, C.20.3.1.1): nothing is
    inverted. The vectors lie in the fixed frame; matrices of the transform become the Post Deformation Matrix.
    Outside the grid the deformation is undefined.

    Raises FramesDiffer when the grid lies in another frame of reference than the fixed one, else as
    ``build_spatial_registration``.
    """
    _check(new)
    storage = storage or FieldStorage()
    _check_grid(new, storage)
    field = stored_field(new.transform, storage)
    ds = _started(DEFORMABLE, new, source, making, series or NewSeries("Deformable Spatial Registration"))
    ds.DeformableRegistrationSequence = Items([_deformation(new, field)])
    told = replace(provenance, parameters={**provenance.parameters, **_told(field.loss)})
    # Its items have no place for fixed images: with no moving ones the object refers to none.
    images = [*new.fixed_images, *new.moving_images] if new.moving_images else []
    return DeformableObject(_finished(ds, images, new.fiducials, told, making), field.loss)


def _told(loss: FieldLoss) -> dict[str, str]:
    """What the grid lost, as parameters of the provenance."""
    return {
        "grid spacing mm": " x ".join(f"{one:.3f}" for one in loss.spacing_mm),
        "grid loss mm (mean, 95 %, most)": ", ".join(f"{one:.4f}" for one in (loss.mean_mm, loss.p95_mm, loss.max_mm)),
        "grid covers": f"{loss.covered:.4f}",
    }


def _check(new: NewRegistration) -> None:
    faults = []
    if not _LABEL.match(new.label):
        faults.append("the label of a registration needs 1 to 16 of A to Z, 0 to 9, space and underscore")
    if not (new.fixed.is_known and new.moving.is_known):
        faults.append("both sides of a registration need a known frame of reference")
    elif new.fixed.is_same_as(new.moving) and not (new.fixed_images and new.moving_images):
        faults.append("a registration within one frame of reference must name the images of both sides")
    if faults:
        raise InvalidObject(tuple(faults))


def _check_grid(new: NewRegistration, storage: FieldStorage) -> None:
    first = new.transform.steps[0] if new.transform.steps else None
    grids: list[Grid] = [first.grid] if isinstance(first, DisplacementField) else []
    for grid in [*grids, *([storage.grid] if storage.grid else [])]:
        grid.frame.require_same(new.fixed, "the grid of the deformation and the fixed images")
    if not (storage.spacing_mm > 0 and storage.stated_loss_mm >= 0):
        raise InvalidObject(("the spacing of a stored deformation must be positive, its loss not negative",))


def _started(sop_class_uid: str, new: NewRegistration, source: Dataset, making: Making, series: NewSeries) -> Dataset:
    uid = Item(source).text("FrameOfReferenceUID")
    if uid and uid != new.fixed.uid:
        raise FramesDiffer("the source image and the fixed side of the registration")
    ds = new_object(sop_class_uid, "REG", source, series=series, making=making)
    ds.FrameOfReferenceUID = new.fixed.uid
    ds.PositionReferenceIndicator = Item(source).text("PositionReferenceIndicator")
    ds.ContentLabel = new.label
    ds.ContentDescription = new.description[:_MOST_CHARACTERS]
    ds.ContentCreatorName = making.operator
    return ds


def _finished(
    ds: Dataset, images: list[Reference], fiducials: tuple[UsedFiducial, ...], provenance: Provenance, making: Making
) -> Dataset:
    add_common_instance_reference(ds, [*images, *(fiducial.instance for fiducial in fiducials)])
    add_provenance(ds, provenance, making)
    return ds


def _name_images(item: Dataset, images: Iterable[Reference]) -> None:
    named = [reference.item() for reference in images]
    if named:
        item.ReferencedImageSequence = Items(named)


def _matrix_item(matrix: Affine, method: Code, comment: str) -> Dataset:
    registration = Dataset()
    if comment:
        registration.FrameOfReferenceTransformationComment = comment[:_MOST_CHARACTERS]
    registration.RegistrationTypeCodeSequence = code_sequence(method)
    registration.MatrixSequence = Items([_matrix(matrix)])
    item = Dataset()
    item.MatrixRegistrationSequence = Items([registration])
    return item


def _matrix(matrix: Affine) -> Dataset:
    item = Dataset()
    item.FrameOfReferenceTransformationMatrixType = matrix_type(matrix)
    item.FrameOfReferenceTransformationMatrix = [decimal(float(one), _PLACES) for one in matrix.matrix.ravel()]
    return item


def _used(fiducials: Iterable[UsedFiducial]) -> Items:
    used = Items()
    for fiducial in fiducials:
        item = fiducial.instance.item()
        item.FiducialUID = fiducial.uid
        used.append(item)
    return used


def _deformation(new: NewRegistration, field: StoredField) -> Dataset:
    item = Dataset()
    item.SourceFrameOfReferenceUID = new.moving.uid
    _name_images(item, new.moving_images)
    item.FrameOfReferenceTransformationComment = (new.comment or str(field.loss))[:_MOST_CHARACTERS]
    item.RegistrationTypeCodeSequence = code_sequence(new.method)
    item.PreDeformationMatrixRegistrationSequence = Items([_matrix(Affine.identity())])
    item.PostDeformationMatrixRegistrationSequence = Items([_matrix(field.after)])
    item.DeformableRegistrationGridSequence = Items([_grid(field)])
    if new.fiducials:
        item.UsedFiducialsSequence = _used(new.fiducials)
    return item


def _grid(field: StoredField) -> Dataset:
    grid = field.grid
    slices, rows, columns = grid.shape
    item = Dataset()
    item.ImagePositionPatient = [decimal(float(one), 10) for one in grid.origin_mm]
    item.ImageOrientationPatient = [decimal(float(one), _PLACES) for one in grid.directions[:, :2].T.ravel()]
    item.GridDimensions = [columns, rows, slices]
    item.GridResolution = list(grid.spacing_mm)
    item.VectorGridData = np.ascontiguousarray(field.vectors_mm, dtype="<f4").tobytes()
    return item
