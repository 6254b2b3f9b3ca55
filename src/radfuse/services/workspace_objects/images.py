"""The images of series for what is made of them: headers, read once while a session is saved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from radfuse.archive import Archive
from radfuse.core.errors import UnknownEntity
from radfuse.services.one_object import stored_data_set
from radfuse.services.registrations import place_of
from radfuse.services.series_views import SeriesView
from radfuse.services.stored_objects import objects_named
from radfuse.services.viewing.showing import native_volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.geometry import Points
    from radfuse.volume import Volume


@dataclass(frozen=True, eq=False)
class Images:
    """Of the series that a session is about."""

    archive: Archive
    _headers: dict[SeriesView, list[Dataset]] = field(default_factory=dict)
    _volumes: dict[SeriesView, Volume] = field(default_factory=dict)

    def volume(self, view: SeriesView) -> Volume:
        """On its own voxels. Raises what opening a series raises."""
        if view not in self._volumes:
            self._volumes[view] = native_volume(self.archive, view)
        return self._volumes[view]

    def headers(self, view: SeriesView) -> list[Dataset]:
        """Of the images behind the volume, each once, in the order of the slices. Raises UnknownEntity too."""
        if view not in self._headers:
            uids = [uid for uid in dict.fromkeys(self.volume(view).source.instance_uids) if uid]
            found = objects_named(self.archive, uids)
            if not uids or len(found) < len(uids):
                raise UnknownEntity("series")
            self._headers[view] = [stored_data_set(self.archive, found[uid], pixels=False) for uid in uids]
        return self._headers[view]

    def nearest(self, view: SeriesView, points_mm: Points | Sequence[Sequence[float]]) -> tuple[Dataset, int, Points]:
        """The image whose slice is nearest to all points: its header, the frame (0: no multi-frame image), and the
        points in its pixels: column, row; the centre of the first is 1, 1."""
        volume = self.volume(view)
        index = np.atleast_2d(volume.grid.from_patient.apply(np.asarray(points_mm, dtype=np.float64)))
        uids = volume.source.instance_uids
        known = np.array([number for number, uid in enumerate(uids) if uid])
        at = int(known[np.abs(known - index[:, 2].mean()).argmin()])
        header = next(each for each in self.headers(view) if str(each.SOPInstanceUID) == uids[at])
        frames = volume.source.frame_numbers
        return header, frames[at] if frames else 0, index[:, :2] + 1

    def patient(self, series: str) -> int:
        """Whose a series is."""
        return place_of(self.archive, series).patient
