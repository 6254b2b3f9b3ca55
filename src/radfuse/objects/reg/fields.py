"""The deformation in an item of Deformable Registration Sequence (PS3.3 section C.20.3.1)."""

from __future__ import annotations

from typing import Final

import numpy as np
from pydicom.tag import Tag

from radfuse.core.errors import InvalidGeometry, UnreadableObject
from radfuse.geometry import Affine, Chain, DisplacementField, FrameOfReference, Grid
from radfuse.objects.common import Item
from radfuse.objects.reg.grids import Vectors, cropped, defined_box
from radfuse.objects.reg.matrices import is_identity, read_matrix, wrong_types

_VECTORS: Final = Tag(0x0064, 0x0009)
_BYTES: Final = 12
"""Of a vector: three numbers of four bytes."""
_TOLERANCE: Final = 1e-3
_MOST_POINTS: Final = 1 << 32
_LARGEST_STEP_MM: Final = 1e4
_FARTHEST_MM: Final = 1e7
_LONGEST_MM: Final = 1e6
"""A kilometre: numbers beyond can only be somebody's word for undefined, or damage."""


def read_deformation(item: Item, fixed: FrameOfReference) -> tuple[Chain, list[str]]:
    """p_source = Post(Pre(p) + d(p)) as a chain, and what is wrong with it as parts of sentences.

    Raises UnreadableObject.
    """
    sentences: list[str] = []
    before, after = (_matrix(item, name, sentences) for name in ("Pre", "Post"))
    grids = item.items("DeformableRegistrationGridSequence")
    if len(grids) > 1:
        raise UnreadableObject("it has several grids where one belongs")
    whole = after.after(before)
    matrices = () if is_identity(whole) else (whole,)
    if not grids:
        return Chain(matrices or (whole,)), sentences
    grid, vectors = _grid(grids[0], fixed), _vectors(grids[0])
    vectors = vectors.reshape(*grid.shape, 3)
    box = defined_box(np.where(np.abs(vectors) <= _LONGEST_MM, vectors, np.float32(np.nan)))
    if box is None:
        raise UnreadableObject("its deformation is undefined everywhere, or in too many places")
    inner, defined = cropped(grid, vectors, box)
    if defined.shape != vectors.shape:
        sentences.append("has undefined vectors: what lies beyond the box without them is undefined")
    if not is_identity(before):
        # Pre(p) + d(p) is Pre(p + e(p)) with e = d turned back by Pre's linear part.
        defined = (defined @ np.linalg.inv(before.linear).T).astype(np.float32)
    return Chain((DisplacementField(inner, defined), *matrices)), sentences


def _matrix(item: Item, name: str, sentences: list[str]) -> Affine:
    """The matrix before or after the deformation; the identity where there is none."""
    matrices = item.items(f"{name}DeformationMatrixRegistrationSequence")
    if len(matrices) > 1:
        raise UnreadableObject(f"it has several matrices where one belongs ({name.lower()} deformation)")
    if not matrices:
        return Affine.identity()
    matrix = read_matrix(matrices[0])
    sentences += wrong_types(matrices)
    return matrix


def _grid(item: Item, fixed: FrameOfReference) -> Grid:
    position, orientation = item.numbers("ImagePositionPatient"), item.numbers("ImageOrientationPatient")
    spacing, size = item.numbers("GridResolution"), item.numbers("GridDimensions")
    if (len(position), len(orientation), len(spacing), len(size)) != (3, 6, 3, 3):
        raise UnreadableObject("its grid does not say where it lies and how large it is")
    if not all(one.is_integer() and one >= 1 for one in size) or np.prod(size) > _MOST_POINTS:
        raise UnreadableObject("its grid has no points, or more than there can be")
    if not all(0 < one <= _LARGEST_STEP_MM for one in spacing):
        raise UnreadableObject("the distances of its grid are not all more than 0 and at most 10 m")
    if not all(abs(one) <= _FARTHEST_MM for one in position):
        raise UnreadableObject("its grid lies farther off than any patient")
    columns, rows, slices = (int(one) for one in size)
    try:
        return Grid((slices, rows, columns), Affine.of(_axes(orientation) * np.array(spacing), position), fixed)
    except InvalidGeometry as error:
        raise UnreadableObject(f"its grid is none: {error.reason}") from error


def _axes(orientation: list[float]) -> np.ndarray:
    row, column = np.array(orientation).reshape(2, 3)
    lengths = np.linalg.norm((row, column), axis=1)
    if not (np.abs(lengths - 1).max() < _TOLERANCE and abs(row @ column) < _TOLERANCE):
        raise UnreadableObject("the directions of its grid are no unit vectors at a right angle")
    return np.column_stack((row, column, np.cross(row, column)))


def _vectors(item: Item) -> Vectors:
    ds = item.ds
    try:
        value = ds[_VECTORS].value if _VECTORS in ds else None
    except Exception as error:  # whatever comes while a foreign element is parsed
        raise UnreadableObject("its vectors cannot be read") from error
    size = item.numbers("GridDimensions")
    needed = int(np.prod(size)) * _BYTES
    if not isinstance(value, bytes) or len(value) != needed:
        raise UnreadableObject(f"its vectors do not fill its grid: {needed} bytes belong there")
    order = ">" if ds.original_encoding[1] is False else "<"
    vectors = np.frombuffer(value, f"{order}f4")
    return vectors if order == "<" else vectors.astype("<f4")
