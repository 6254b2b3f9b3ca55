"""The numbers of lesions."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from radfuse.roi.boxes import Part
from radfuse.roi.lengths import diameters_of
from radfuse.roi.peak import PeakFinder
from radfuse.roi.sampling import voxels_of
from radfuse.services.followup.model import Numbers, Seen
from radfuse.volume import Volume


class Measuring:
    """Measures lesions of one volume."""

    def __init__(self, volume: Volume, *, with_peak: bool) -> None:
        """``with_peak``: also the mean over 1 cm3, for PET."""
        self._volume = volume
        self._peaks = PeakFinder(volume) if with_peak else None

    def seen(self, part: Part, level: float | None = None, notes: tuple[str, ...] = ()) -> Seen:
        """A lesion. Raises InvalidRegion for one without voxels."""
        mask = part.mask
        voxels = voxels_of(self._volume, mask)
        axes = diameters_of(mask)
        mean = float(voxels.values.mean())
        numbers = Numbers(
            voxels.volume_ml,
            float(voxels.values.max()),
            self._peaks.find(voxels).value if self._peaks is not None else None,
            mean,
            voxels.volume_ml * mean if self._peaks is not None else None,
            axes.long_axis.length_mm,
            axes.short_axis.length_mm,
        )
        return Seen(part, numbers, level, tuple(dict.fromkeys((*notes, *voxels.notes))))

    def vanished(self, where: Part, level: float | None = None, notes: tuple[str, ...] = ()) -> Seen:
        """A lesion that is not there: no volume, and the values of the place where it was."""
        at = self.seen(where).numbers
        gone = Numbers(0.0, at.maximum, at.peak, at.mean, 0.0 if at.tlg is not None else None, 0.0, 0.0)
        return Seen(Part.nothing(where.grid), gone, level, notes)

    def together(self, parts: Iterable[Part]) -> Numbers:
        """All lesions: each voxel once."""
        every = [part for part in parts if part.voxels]
        if not every:
            return Numbers(0.0, tlg=0.0)
        whole = Part.together(every)
        values = self._volume.voxels[whole.box.where][whole.inside].astype(np.float64)
        sum_ml = float(values[np.isfinite(values)].sum()) * whole.grid.voxel_volume_mm3 / 1000
        return Numbers(whole.volume_ml, tlg=sum_ml)
