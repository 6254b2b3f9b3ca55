"""Series as new images in the frame of reference of another one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from radfuse.objects.common import Making, NewSeries, Provenance, codes, reference_to
from radfuse.services.carry import Carried, CarryAsk, carry, objects_of, path_of
from radfuse.services.carry import Images as WholeSeries
from radfuse.services.exporting.model import Resampled
from radfuse.services.viewing import show
from radfuse.services.workspace_objects.images import Images
from radfuse.volume import Volume

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def resampled(images: Images, asked: Resampled, making: Making) -> list[Dataset]:
    """A slice each, or one NM image. Raises what reading and carrying raise, and what the builders raise."""
    view, archive = asked.view, images.archive
    if not asked.onto or asked.onto == view.series:
        return _itself(images, asked, making)
    ask = CarryAsk(asked.onto, view.series, WholeSeries(view.unit), view.wish, moving_stack=view.stack)
    if asked.grid == "base":
        return objects_of(archive, carry(archive, ask), making)
    path = path_of(archive, asked.onto, view.series, view.wish)
    carried = Carried(ask, path, path.warnings, volume=_shown(images, asked))
    return objects_of(archive, carried, making)


def _shown(images: Images, asked: Resampled) -> Volume:
    """The volume as it is laid over the base."""
    return show(images.archive, asked.view, asked.onto).volume


def _itself(images: Images, asked: Resampled, making: Making) -> list[Dataset]:
    """The same voxels at right angles, in the unit that they are looked at in."""
    from radfuse.objects.series import build_series

    volume = show(images.archive, asked.view).volume
    sources = images.headers(asked.view)
    words = {"unit": volume.unit.value}
    provenance = Provenance("volume of the workstation", words, tuple(map(reference_to, sources)))
    made = build_series(volume, sources, NewSeries("Volume"), provenance, making, derivation=codes.SPATIAL_RESAMPLING)
    return list(made)
