"""Pictures as Secondary Captures: one, a cine, a volume seen from all sides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from radfuse.archive import Archive
from radfuse.fusion import ColourMap, Colours, RotatingProjection, Window, blended, rendered, rotating_mip
from radfuse.geometry import Affine
from radfuse.objects.common import Making, NewSeries, Provenance, codes, reference_to
from radfuse.objects.sc import Capture, build_capture
from radfuse.services.exporting.from_json import shot_of
from radfuse.services.exporting.model import Cine, Rotating, Shot, Snapshot
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing import picture, show
from radfuse.services.workspace_objects.captions import written_on
from radfuse.services.workspace_objects.images import Images
from radfuse.volume.resample import resample

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.volume import Volume

_MOST_WORD: Final = 65_535

Tell = Callable[[float], None]
"""Told the share that is done; what it raises ends the work."""


def pixels_of(images: Images, shot: Shot) -> Colours:
    """What is seen. Raises what showing the series raises, InvalidGeometry."""
    below = show(images.archive, shot.base).volume
    above = None
    if shot.over is not None:
        view, window = shot.over
        above = show(images.archive, view, shot.base.series).volume, window
    pixels = picture(shot.place, (below, shot.window), above, shot.look, shot.regions)
    if not shot.annotate:
        return pixels
    shown = [(images.nearest(shot.base, [shot.place.centre_mm])[0], shot.window)]
    if shot.over is not None:
        shown.append((images.headers(shot.over[0])[0], shot.over[1]))
    return written_on(pixels, shown, shot.place)


def picture_asked(archive: Archive, picture: Mapping[str, Any]) -> Colours:
    """A picture as the API asks for it, from the archive. Raises as ``from_json.shot_of`` and ``pixels_of``."""
    return pixels_of(Images(archive), shot_of(picture))


def snapshot(images: Images, asked: Snapshot, series: NewSeries, making: Making) -> Dataset:
    """A Secondary Capture of one picture."""
    shot = asked.shot
    pixels = pixels_of(images, shot)
    sources = _sources(images, [shot])
    capture = Capture(pixels[np.newaxis], shot.annotate, planes=(_plane(images, shot),))
    provenance = _provenance("picture of the workstation", sources, **_words(shot))
    derivation = codes.MULTIPLANAR_REFORMATTING
    return build_capture(capture, sources, series, provenance, making, single=True, derivation=derivation)


def cine(images: Images, asked: Cine, series: NewSeries, making: Making, tell: Tell) -> Dataset:
    """A multi-frame true colour capture, a frame for each picture."""
    frames = []
    for number, shot in enumerate(asked.shots):
        tell(number / len(asked.shots))
        frames.append(pixels_of(images, shot))
    planes = tuple(_plane(images, shot) for shot in asked.shots)
    is_burned_in = any(shot.annotate for shot in asked.shots)
    capture = Capture(np.stack(frames), is_burned_in, asked.frame_time_ms, planes=planes)
    sources = _sources(images, asked.shots)
    provenance = _provenance("cine of the workstation", sources, frames=str(len(frames)), **_words(asked.shots[0]))
    derivation = codes.MULTIPLANAR_REFORMATTING
    return build_capture(capture, sources, series, provenance, making, derivation=derivation)


def rotating(images: Images, asked: Rotating, series: NewSeries, making: Making) -> Dataset:
    """Maximum intensity projections from all sides: words of one series in gray, else true colour."""
    below = show(images.archive, asked.base).volume
    sources = list(images.headers(asked.base))
    words = {"frames": str(asked.frames), "window": _range(asked.window)}
    if asked.over is None:
        made = rotating_mip(below, asked.frames)
        frames, window, more = _alone(made, asked.window)
        words |= more
    else:
        view, other = asked.over
        sources += images.headers(view)
        above = show(images.archive, view, asked.base.series).volume
        made, frames = _together(below, above, (asked.window, other), asked)
        window = None
        words |= {"blend": f"{asked.blend:g}", "overlay window": _range(other)}
    capture = Capture(frames, False, asked.frame_time_ms, made.grids, window, "MIP")
    provenance = _provenance("rotating maximum intensity projection", sources, **words)
    derivation = codes.MAXIMUM_INTENSITY_PROJECTION
    return build_capture(capture, sources, series, provenance, making, derivation=derivation)


def is_gray(asked: Rotating) -> bool:
    """Whether it becomes words instead of colours."""
    return asked.over is None and asked.window.colour_map is ColourMap.GRAY


def _alone(
    made: RotatingProjection, window: Window
) -> tuple[npt.NDArray[Any], tuple[float, float] | None, dict[str, str]]:
    """The frames, how they are to be shown, and what the words of gray pictures stand for."""
    if window.colour_map is not ColourMap.GRAY:
        return np.stack([rendered(made.plane(at), window) for at in range(len(made.grids))]), None, {}
    values = made.pictures.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    step = (high - low) / _MOST_WORD or 1.0
    stored = np.round((values - low) / step).astype(np.uint16)
    shown = ((window.low + window.high) / 2 - low) / step, (window.high - window.low) / step
    return stored, shown, {"value": f"{low:.9g} + {step:.9g} x stored, {made.unit.value}"}


def _together(
    below: Volume, above: Volume, windows: tuple[Window, Window], asked: Rotating
) -> tuple[RotatingProjection, npt.NDArray[np.uint8]]:
    """Both on the coarser of the two grids, so that their pictures lie in the same places."""
    if above.voxels.size <= below.voxels.size:
        below = resample(below, above.grid, Affine.identity())
    else:
        above = resample(above, below.grid, Affine.identity())
    one, other = rotating_mip(below, asked.frames), rotating_mip(above, asked.frames)
    frames = [
        blended(one.plane(at), windows[0], replace(other.plane(at), grid=one.grids[at]), windows[1], asked.blend)
        for at in range(asked.frames)
    ]
    return one, np.stack(frames)


def _plane(images: Images, shot: Shot) -> Any:
    return shot.place.grid(show(images.archive, shot.base).volume.grid.frame)


def _sources(images: Images, shots: Sequence[Shot]) -> list[Dataset]:
    """The images of the base nearest to the pictures, and all that is laid over them."""
    found: dict[str, Dataset] = {}
    for shot in shots:
        header, _, _ = images.nearest(shot.base, [shot.place.centre_mm])
        found.setdefault(str(header.SOPInstanceUID), header)
    over: dict[SeriesView, None] = {shot.over[0]: None for shot in shots if shot.over is not None}
    for view in over:
        found |= {str(header.SOPInstanceUID): header for header in images.headers(view)}
    return list(found.values())


def _words(shot: Shot) -> dict[str, str]:
    words = {"mode": shot.look.mode.value, "window": _range(shot.window)}
    if shot.over is not None:
        words |= {"blend": f"{shot.look.blend:g}", "overlay window": _range(shot.over[1])}
    if shot.look.projection is not None and shot.look.slab_mm:
        words["slab"] = f"{shot.look.slab_mm:g} mm, {shot.look.projection.value}"
    return words


def _range(window: Window) -> str:
    return f"{window.low:g} to {window.high:g}, {window.colour_map.value}"


def _provenance(purpose: str, sources: Sequence[Dataset], **words: str) -> Provenance:
    named = {name.replace("_", " "): value for name, value in words.items()}
    return Provenance(purpose, named, tuple(map(reference_to, sources)))
