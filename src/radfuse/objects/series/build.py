"""Resampled volumes as series of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from pydicom.dataset import Dataset

from radfuse.core.errors import InvalidObject
from radfuse.objects.common import Code, Making, NewSeries, Provenance, add_provenance, codes
from radfuse.objects.series import ct, mr, nm, pt
from radfuse.objects.series.slices import Order, require_one_modality, require_writable
from radfuse.objects.series.stored import require_numbers
from radfuse.volume import Volume

_BUILDERS: Final = {"CT": ct.build, "MR": mr.build, "PT": pt.build, "NM": nm.build}
MODALITIES: Final = tuple(_BUILDERS)


def build_series(
    volume: Volume,
    sources: Sequence[Dataset],
    series: NewSeries,
    provenance: Provenance,
    making: Making,
    *,
    derivation: Code = codes.SPATIAL_RESAMPLING,
    padding: float | None = None,
) -> Iterator[Dataset]:
    """A volume as CT, MR or PET images, a slice each, or as one NM image: explicit little endian, classic classes.

    ``sources``: the images that the voxels come from, without pixels, of one series and in any order. ``series``:
    give a UID where the series goes on. ``padding``: the value of voxels of which the sources know nothing;
    written as Pixel Padding Value for CT and MR (in PET and NM such voxels are 0). Positions are the volume's,
    in its frame of reference, which need not be the sources'.

    Raises InvalidGeometry for a sheared grid or an unknown frame of reference, InvalidObject for voxels without
    a value, and for a unit or sources that do not belong to the modality.
    """
    modality = volume.source.modality
    if modality not in _BUILDERS:
        raise InvalidObject((f"a resampled series can be CT, MR, PT or NM, not {modality or 'of no modality'}",))
    if not sources:
        raise InvalidObject(("a resampled series needs the images it was made from",))
    order = Order(volume, sources, _own(series, making), provenance, making, derivation, padding)
    require_one_modality(order, modality)
    require_writable(volume.grid)
    require_numbers(volume.voxels)
    for ds in _BUILDERS[modality](order):
        add_provenance(ds, provenance, making)
        yield ds


def _own(series: NewSeries, making: Making) -> NewSeries:
    """The series with a UID: all its images share it."""
    return series if series.uid else NewSeries(series.description, series.number, making.uids(), series.instance_number)
