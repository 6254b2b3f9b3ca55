"""What the images of a resampled series have in common, and where each lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items

from radfuse.core.errors import InvalidGeometry, InvalidObject
from radfuse.geometry import Affine, Grid
from radfuse.objects.common import Code, Making, NewSeries, Provenance, code_sequence, codes, decimal, reference_to
from radfuse.objects.series.copied import alike, put
from radfuse.objects.series.stored import Rescale
from radfuse.volume import Volume

_MANY: Final = 50


@dataclass(frozen=True, eq=False)
class Order:
    """A volume to be written, what it was made from, and the circumstances."""

    volume: Volume
    sources: Sequence[Dataset]
    series: NewSeries
    provenance: Provenance
    making: Making
    derivation: Code
    padding: float | None
    """The value that voxels have of which the source knows nothing."""

    @property
    def grid(self) -> Grid:
        """Where the voxels lie."""
        return self.volume.grid


def require_writable(grid: Grid) -> None:
    """Raise InvalidGeometry for what single images cannot say: shear, and a frame of reference without a UID."""
    if grid.is_sheared:
        raise InvalidGeometry("the slices are sheared (gantry tilt): resample onto a regular grid first")
    if not grid.frame.is_known:
        raise InvalidGeometry("the volume has no frame of reference: it cannot be written as images of a patient")


def along_normal(volume: Volume) -> tuple[npt.NDArray[Any], Grid]:
    """The voxels, and the grid, with slices in the direction of row x column: turned round where they are not."""
    grid = volume.grid
    if float(grid.to_patient.linear[:, 2] @ grid.normal) > 0:
        return volume.voxels, grid
    last = np.eye(4)
    last[2, 2], last[2, 3] = -1, grid.shape[0] - 1
    return volume.voxels[::-1], Grid(grid.shape, grid.to_patient.after(Affine(last)), grid.frame)


def describe(ds: Dataset, order: Order) -> None:
    """Frame of reference and derivation (PS3.3 sections C.7.4.1, C.7.6.1.1.3)."""
    frame = order.grid.frame
    ds.FrameOfReferenceUID = frame.uid
    same = all(str(source.get("FrameOfReferenceUID", "")) == frame.uid for source in order.sources)
    ds.PositionReferenceIndicator = (alike(order.sources, "PositionReferenceIndicator") or "") if same else ""
    ds.DerivationDescription = order.provenance.sentence()
    ds.DerivationCodeSequence = code_sequence(order.derivation)
    lossy = [source for source in order.sources if str(source.get("LossyImageCompression", "")) == "01"]
    ds.LossyImageCompression = "01" if lossy else "00"
    for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod") if lossy else ():
        if lossy[0].get(keyword) is not None:
            put(ds, keyword, lossy[0].get(keyword))


class Nearness:
    """Which source images lie beside a slice: those whose planes are nearest to it on both sides, and within it.

    Where the sources lie in another frame of reference, or are not single planes, all of them; when these are
    more than 50, without a purpose of reference: every slice repeats them.
    """

    def __init__(self, sources: Sequence[Dataset], grid: Grid) -> None:
        self._sources = sources
        self._grid = grid
        purpose = codes.SOURCE_IMAGE if len(sources) <= _MANY or self._lie_in(grid) else None
        items = [reference_to(source).item(purpose) for source in sources]
        self._items = items
        self._all = Items(items)
        self._ends = self._positions()

    @property
    def everything(self) -> Items:
        """A reference to every source image."""
        return self._all

    def beside(self, index: int) -> Items:
        """References to the source images that a slice of the grid comes from."""
        if self._ends is None:
            return self._all
        low, high = self._reach(index)
        found = [item for item, place in zip(self._items, self._ends, strict=True) if low <= place <= high]
        return Items(found or [self._items[self.nearest(index)]])

    def nearest(self, index: int) -> int:
        """The number of the nearest source image; the one acquired first where planes say nothing."""
        if self._ends is None:
            return min(range(len(self._sources)), key=lambda number: _acquired(self._sources[number]))
        return int(np.argmin(np.abs(self._ends - self._place(index))))

    def _lie_in(self, grid: Grid) -> bool:
        return all(str(source.get("FrameOfReferenceUID", "")) == grid.frame.uid for source in self._sources)

    def _positions(self) -> npt.NDArray[np.float64] | None:
        places = []
        if not self._lie_in(self._grid):
            return None
        for source in self._sources:
            position = source.get("ImagePositionPatient")
            if not position:
                return None
            places.append(float(np.asarray(position, dtype=float) @ self._source_normal()))
        return np.array(places)

    def _source_normal(self) -> npt.NDArray[np.float64]:
        cosines = np.asarray(self._sources[0].get("ImageOrientationPatient", (1, 0, 0, 0, 1, 0)), dtype=float)
        normal: npt.NDArray[np.float64] = np.cross(cosines[:3], cosines[3:])
        return normal

    def _place(self, index: int) -> float:
        """Where the middle of a slice lies along the sources' normal."""
        _, rows, columns = self._grid.shape
        middle = self._grid.to_patient.apply(((columns - 1) / 2, (rows - 1) / 2, index))
        return float(middle @ self._source_normal())

    def _reach(self, index: int) -> tuple[float, float]:
        """From where to where sources contribute: the slice's extent, and a source's distance to each side."""
        _, rows, columns = self._grid.shape
        corners = [(x, y, index + z) for x in (0, columns) for y in (0, rows) for z in (-0.5, 0.5)]
        extent = self._grid.to_patient.apply(np.array(corners, dtype=float) - (0.5, 0.5, 0)) @ self._source_normal()
        sorted_ends = np.unique(self._ends) if self._ends is not None else np.zeros(1)
        step = float(np.diff(sorted_ends).max()) if len(sorted_ends) > 1 else 0.0
        return float(extent.min()) - step, float(extent.max()) + step


def _acquired(source: Dataset) -> str:
    return f"{source.get('AcquisitionDate', '')}{source.get('AcquisitionTime', '')}"


def plane_of(ds: Dataset, grid: Grid, index: int) -> None:
    """The Image Plane module of one slice (PS3.3 section C.7.6.2)."""
    across, down, through = grid.spacing_mm
    ds.ImagePositionPatient = [decimal(part) for part in grid.to_patient.apply((0.0, 0.0, float(index)))]
    ds.ImageOrientationPatient = cosines_of(grid)
    ds.PixelSpacing = [decimal(down, 9), decimal(across, 9)]
    ds.SliceThickness = decimal(through, 9)


def cosines_of(grid: Grid) -> list[str]:
    """Image Orientation (Patient)."""
    return [decimal(float(part), 13) for part in (*grid.directions[:, 0], *grid.directions[:, 1])]


def pixels_of(ds: Dataset, stored: npt.NDArray[Any], rescale: Rescale) -> None:
    """The Image Pixel module (PS3.3 section C.7.6.3) of stored numbers of 16 bits."""
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = stored.shape[-2:]
    ds.BitsAllocated = ds.BitsStored = 16
    ds.HighBit = 15
    ds.PixelRepresentation = 1 if rescale.signed else 0
    put(ds, "PixelData", np.ascontiguousarray(stored, dtype=stored.dtype.newbyteorder("<")).tobytes(), "OW")


def rescale_of(ds: Dataset, rescale: Rescale) -> None:
    """Rescale Slope and Intercept (PS3.3 section C.11.1)."""
    ds.RescaleIntercept = rescale.intercept_text
    ds.RescaleSlope = rescale.slope_text


def window_of(ds: Dataset, values: npt.NDArray[Any]) -> None:
    """A window from the least to the greatest value (PS3.3 section C.11.2)."""
    low, high = float(values.min()), float(values.max())
    ds.WindowCenter = decimal((low + high) / 2, 4)
    ds.WindowWidth = decimal(max(high - low, 1.0), 4)


def padding_of(ds: Dataset, rescale: Rescale, padding: float | None) -> None:
    """Pixel Padding Value (PS3.3 section C.7.5.1.1.2): the stored number of what lies outside the source's field."""
    if padding is not None:
        stored = int(rescale.store(np.array([padding], dtype=np.float64))[0])
        put(ds, "PixelPaddingValue", stored, "SS" if rescale.signed else "US")


def require_one_modality(order: Order, modality: str) -> None:
    """Raise InvalidObject when the sources are of another modality, or of several studies."""
    if any(str(source.get("Modality", "")) != modality for source in order.sources):
        raise InvalidObject((f"the sources of a resampled {modality} series must be {modality} images",))


def shallow(base: Dataset) -> Dataset:
    """A data set of its own with the same values: pydicom sets the value of an element that is there already."""
    ds = Dataset()
    for element in base:
        ds.add(copy(element))
    return ds


def numbered(base: Dataset, order: Order, grid: Grid, nearness: Nearness) -> Iterator[tuple[int, Dataset]]:
    """One data set for each slice: with its own UID, number and plane."""
    for index in range(grid.shape[0]):
        ds = shallow(base)
        ds.SOPInstanceUID = order.making.uids()
        ds.InstanceNumber = index + 1
        ds.SourceImageSequence = nearness.beside(index)
        plane_of(ds, grid, index)
        yield index, ds
