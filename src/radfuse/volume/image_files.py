"""NIfTI and NRRD files: volumes and masks to and from the formats of research.

NIfTI counts x to the right and y to the front, DICOM to the left and to the back; SimpleITK turns
both signs on the way. Neither file says which frame of reference it lies in, but for the keys that
we write into NRRD.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.core.errors import CannotBuildVolume, InvalidGeometry
from radfuse.geometry import Affine, FrameOfReference, Grid, Mask
from radfuse.volume.model import Finding, FindingKind, Source, Unit, Volume
from radfuse.volume.resample import regular_grid, resample
from radfuse.volume.toolkit import simpleitk

SUFFIXES: Final = (".nii", ".nii.gz", ".nrrd")
_DESCRIPTION: Final = "Radfuse "
_UNIT_KEY: Final = "radfuse_unit"
_FRAME_KEY: Final = "radfuse_frame_of_reference_uid"
_NOTES: Final = "ITK_FileNotes"
"""SimpleITK's name for NIfTI's descrip (80 characters)."""
_PLACE_KEYS: Final = ("sform_code", "qform_code")
"""What NIfTI says its coordinates are; 0 says nothing. Other formats have neither."""
_LIKE_MM: Final = 0.01
"""NIfTI keeps its matrix in single precision."""
_SHEAR_MM: Final = 0.05
"""Shear that moves no corner by more is rounding of the headers."""
_LEVEL: Final = 1
"""Of compression: higher ones take many times longer for little."""


def is_image_file(path: Path) -> bool:
    """Whether the name is that of a NIfTI or NRRD file."""
    return path.name.lower().endswith(SUFFIXES)


def write_image_file(path: Path, volume: Volume, *, unshear: bool = False) -> None:
    """Write a volume; the suffix names the format. The file appears whole or not at all.

    The formats hold no shear: with ``unshear`` the volume is resampled to right angles first, else
    InvalidGeometry is raised.
    """
    if not _fits(volume.grid):
        if not unshear:
            raise InvalidGeometry(
                "the slices are sheared (gantry tilt), which NIfTI and NRRD cannot say; resample them to right angles"
            )
        volume = _at_right_angles(volume)
    _write(path, _image(volume.voxels, volume.grid), {_UNIT_KEY: volume.unit.value, _FRAME_KEY: volume.grid.frame.uid})


def write_mask_file(path: Path, mask: Mask) -> None:
    """Write a mask as bytes, 1 inside. Raises InvalidGeometry for a sheared grid."""
    if not _fits(mask.grid):
        raise InvalidGeometry("the mask is sheared (gantry tilt), which NIfTI and NRRD cannot say")
    _write(path, _image(mask.inside.astype(np.uint8), mask.grid), {_FRAME_KEY: mask.grid.frame.uid})


def read_image_file(path: Path, like: Grid | None = None) -> Volume:
    """A volume in the unit that the file names (else the stored values), with the frame of reference it names.

    ``like`` is a grid that it must have, whose frame of reference it then has. Raises CannotBuildVolume.
    """
    image, keys = _read(path)
    grid = _placed(_grid_of(image, keys), like)
    return Volume(_numbers(_array(image)), grid, _unit(keys), Source("", "", "", "", ()), _remarks(grid))


def read_mask_file(path: Path, like: Grid | None = None) -> Mask:
    """A mask: inside is what is not 0. As ``read_image_file``; other numbers than 0 and 1 are refused."""
    image, keys = _read(path)
    values = _array(image)
    if not np.isin(np.unique(values), (0, 1)).all():
        raise CannotBuildVolume("a mask may hold 0 and 1 only")
    return Mask(_placed(_grid_of(image, keys), like), values == 1)


# --- writing ---------------------------------------------------------------------------------


def _at_right_angles(volume: Volume) -> Volume:
    if volume.grid.frame.is_known:
        return resample(volume, regular_grid(volume.grid))
    return resample(volume, regular_grid(volume.grid), Affine.identity())


def _image(voxels: npt.NDArray[Any], grid: Grid) -> Any:
    sitk = simpleitk()
    image = sitk.GetImageFromArray(voxels)
    # The length of the last axis is that of its column: it has no shear, so that is the planes' distance too.
    image.SetSpacing(np.linalg.norm(grid.to_patient.linear, axis=0).tolist())
    image.SetOrigin(grid.origin_mm.tolist())
    image.SetDirection(_orthonormal(grid.directions).ravel().tolist())
    return image


def _fits(grid: Grid) -> bool:
    """Whether the formats can hold where the voxels are: axes at right angles, but for rounding."""
    linear = _orthonormal(grid.directions) * np.linalg.norm(grid.to_patient.linear, axis=0)
    held = Grid(grid.shape, Affine.of(linear, grid.origin_mm), grid.frame)
    return bool(np.abs(held.corners_mm - grid.corners_mm).max() <= _SHEAR_MM)


def _orthonormal(directions: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The nearest matrix at exactly right angles: readers are strict to the sixth digit."""
    left, _, right = np.linalg.svd(directions)
    nearest: npt.NDArray[np.float64] = left @ right
    return nearest


def _write(path: Path, image: Any, keys: dict[str, str]) -> None:
    sitk = simpleitk()
    if not is_image_file(path):
        raise CannotBuildVolume(f"{path.name}: the name must end with {', '.join(SUFFIXES)}")
    suffix = next(suffix for suffix in sorted(SUFFIXES, key=len, reverse=True) if path.name.lower().endswith(suffix))
    if suffix == ".nrrd":
        for key, value in keys.items():
            if value:
                image.SetMetaData(key, value)
    elif _UNIT_KEY in keys:
        image.SetMetaData(_NOTES, _DESCRIPTION + keys[_UNIT_KEY])
    unfinished = path.with_name(f".{secrets.token_hex(8)}{suffix}")
    try:
        sitk.WriteImage(image, str(unfinished), suffix != ".nii", _LEVEL)
        os.rename(unfinished, path)
    except RuntimeError as error:
        unfinished.unlink(missing_ok=True)
        raise OSError(f"{path.name} cannot be written: is there such a folder, and room in it?") from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


# --- reading ---------------------------------------------------------------------------------


def _read(path: Path) -> tuple[Any, dict[str, str]]:
    sitk = simpleitk()
    if not path.is_file():
        raise CannotBuildVolume(f"there is no file {path.name}")
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise CannotBuildVolume(f"{path.name} cannot be read as NIfTI or NRRD") from error
    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise CannotBuildVolume(f"{path.name} holds no volume of three dimensions with one number a voxel")
    if {image.GetMetaData(key) for key in _PLACE_KEYS if image.HasMetaDataKey(key)} == {"0"}:
        raise CannotBuildVolume(
            f"{path.name} does not say where its voxels lie, nor which side is left (no sform, no qform)"
        )
    return image, {key: image.GetMetaData(key) for key in (_UNIT_KEY, _FRAME_KEY, _NOTES) if image.HasMetaDataKey(key)}


def _array(image: Any) -> npt.NDArray[Any]:
    sitk = simpleitk()
    values: npt.NDArray[Any] = sitk.GetArrayFromImage(image)
    return values


def _numbers(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """int16 where that holds every value, else float32. Raises CannotBuildVolume for complex or not finite numbers."""
    if values.dtype == np.int16:
        return values
    if np.issubdtype(values.dtype, np.integer):
        limits = np.iinfo(np.int16)
        if limits.min <= values.min() and values.max() <= limits.max:
            return values.astype(np.int16)
    elif not np.issubdtype(values.dtype, np.floating) or not np.isfinite(values).all():
        raise CannotBuildVolume("some voxels are no finite numbers")
    return values.astype(np.float32)


def _grid_of(image: Any, keys: dict[str, str]) -> Grid:
    linear = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    shape = image.GetSize()[::-1]
    return Grid(shape, Affine.of(linear, image.GetOrigin()), FrameOfReference(keys.get(_FRAME_KEY, "")))


def _placed(grid: Grid, like: Grid | None) -> Grid:
    if like is None:
        return grid
    if grid.frame.is_known:
        grid.frame.require_same(like.frame, "the file and the series it should be like")
    if not Grid(grid.shape, grid.to_patient, like.frame).matches(like, _LIKE_MM):
        if like.frame.is_known:
            raise CannotBuildVolume("the file's voxels are not those of the series it should be like")
        raise CannotBuildVolume("the series that the file should be like has no frame of reference")
    return like


def _unit(keys: dict[str, str]) -> Unit:
    named = keys.get(_UNIT_KEY, "") or keys.get(_NOTES, "").removeprefix(_DESCRIPTION)
    try:
        return Unit(named)
    except ValueError:
        return Unit.STORED


def _remarks(grid: Grid) -> tuple[Finding, ...]:
    if grid.frame.is_known:
        return ()
    sentence = "the file names no frame of reference: it cannot be compared with images until one is named"
    return (Finding(FindingKind.HEADER, sentence),)
