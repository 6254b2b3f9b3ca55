"""How a session looks, as presentation states: one that blends base and overlay, one for each bookmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from radfuse.core.errors import InvalidObject
from radfuse.fusion import ColourMap, colours
from radfuse.objects import pr
from radfuse.objects.common import Making, NewSeries, Provenance, Reference, reference_to
from radfuse.services.series_views import SeriesView
from radfuse.services.workspace_objects.images import Images
from radfuse.services.workspace_objects.model import Look, SavedBookmark, Scene

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.volume import Volume

_PLAIN: Final = frozenset({ColourMap.GRAY.value, ColourMap.INVERTED.value})


def fused_state(
    images: Images, scene: Scene, registrations: Sequence[Reference], *, series: NewSeries, making: Making
) -> Dataset:
    """The overlay on the base, all of both. Raises InvalidObject where a state cannot say it."""
    base, overlay = scene.base, scene.overlay
    assert base is not None and overlay is not None  # noqa: S101 asked for with both only
    below = _view(images, base, scene.looks.get(base.series), _rescaled(images.headers(base)))
    above = _view(images, overlay, scene.looks.get(overlay.series), _rescaled(images.headers(overlay)))
    blend = pr.Blend(
        below,
        above,
        _palette(scene.looks.get(overlay.series, Look(0, 1, ColourMap.HOT_IRON.value))),
        scene.blend,
        tuple(registrations),
    )
    provenance = Provenance("fused view of a session", {}, tuple(map(reference_to, (*below.images, *above.images))))
    return pr.build_blending(blend, pr.Naming("FUSED"), provenance=provenance, series=series, making=making)


def bookmark_state(
    images: Images, bookmark: SavedBookmark, number: int, *, series: NewSeries, making: Making
) -> Dataset:
    """The image of the base that is nearest to the crosshair, as it was shown. Raises InvalidObject."""
    scene, base = bookmark.scene, bookmark.scene.base
    assert base is not None  # noqa: S101
    point = scene.cursor_mm or centre_of(images.volume(base))
    header, _, _ = images.nearest(base, [point])
    view = _view(images, base, scene.looks.get(base.series), [header])
    naming = pr.Naming(f"BOOKMARK{number}"[:16], bookmark.name.strip()[:64])
    provenance = Provenance("bookmark of a session", {}, (reference_to(header),))
    return pr.build_presentation(view, naming, provenance=provenance, series=series, making=making)


def centre_of(volume: Volume) -> tuple[float, float, float]:
    """The middle of a volume in mm."""
    slices, rows, columns = volume.grid.shape
    middle = np.array([(columns - 1) / 2, (rows - 1) / 2, (slices - 1) / 2])
    x, y, z = volume.grid.to_patient.apply(middle).tolist()
    return x, y, z


def _view(images: Images, view: SeriesView, look: Look | None, headers: Sequence[Dataset]) -> pr.View:
    if look is None:
        raise InvalidObject(("the series has no window yet",))
    if any(int(header.get("NumberOfFrames") or 1) > 1 for header in headers):
        raise InvalidObject(("its images are multi-frame",))
    scale = _scale(images.volume(view), len(headers))
    low, high = look.low / scale, look.high / scale
    window = pr.Window((low + high) / 2, max(high - low, 1e-6))
    is_plain = look.colours in _PLAIN
    is_inverted = look.is_inverted != (look.colours == ColourMap.INVERTED.value)
    palette = None if is_plain else _palette(look)
    return pr.View(tuple(headers), window, is_inverted=is_plain and is_inverted, palette=palette)


def _rescaled(headers: Sequence[Dataset]) -> list[Dataset]:
    """A blend says the rescale of each side: that of images without one changes nothing (PS3.3 section C.11.1)."""
    return [header if header.get("RescaleSlope") is not None else _with_identity(header) for header in headers]


def _with_identity(header: Dataset) -> Dataset:
    from pydicom.dataset import Dataset

    changed = Dataset()
    changed.update(header)
    changed.RescaleSlope, changed.RescaleIntercept, changed.RescaleType = "1", "0", "US"
    return changed


def _scale(volume: Volume, count: int) -> float:
    """What rescaled values are multiplied with to be in the unit of the window. Raises InvalidObject."""
    from radfuse.volume import Unit

    if volume.unit is Unit.STORED:
        raise InvalidObject(("its window is in stored values, a state's is in rescaled ones",))
    if volume.suv is None:
        return 1.0
    factors = set(volume.suv.factors)
    if len(factors) > 1 and count > 1:
        raise InvalidObject(("its images have different SUV factors, and a state has one window for all",))
    return volume.suv.factors[0]


def _palette(look: Look) -> pr.Palette:
    table = colours(ColourMap(look.colours)).astype(np.uint16) * (65535 // 255)
    return pr.Palette(look.colours, table[::-1].copy() if look.is_inverted else table)
