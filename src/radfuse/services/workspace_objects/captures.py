"""The pictures of bookmarks as Secondary Captures, made by the service from the images."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from radfuse.fusion import ColourMap, Window
from radfuse.geometry import FrameOfReference
from radfuse.objects.common import Making, NewSeries, Provenance, codes, reference_to
from radfuse.objects.sc import Capture, build_capture
from radfuse.services.series_views import SeriesView
from radfuse.services.viewing import Look as Together
from radfuse.services.viewing import Place, picture, show
from radfuse.services.workspace_objects.captions import written_on
from radfuse.services.workspace_objects.images import Images
from radfuse.services.workspace_objects.model import Look, SavedBookmark, Scene
from radfuse.services.workspace_objects.states import centre_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from radfuse.geometry import Grid
    from radfuse.volume import Volume

_PIXELS: Final = 512
_UPRIGHT: Final = {
    "axial": ((1, 0, 0), (0, 1, 0), (0, 0, -1)),
    "coronal": ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    "sagittal": ((0, 1, 0), (0, 0, -1), (1, 0, 0)),
}
"""To the right, down, and to the next slice, before planes are turned."""
_OPPOSITE: Final = 1e-9
_LIKE: Final = {"spyglass": "blend"}


def bookmark_picture(
    images: Images,
    bookmark: SavedBookmark,
    number: int,
    *,
    series: NewSeries,
    making: Making,
    annotate: bool = False,
) -> Dataset:
    """Its plane through the crosshair, all of the base; ``annotate``: with the patient's name and what is shown.

    Raises what showing a series raises.
    """
    scene, base = bookmark.scene, bookmark.scene.base
    assert base is not None  # noqa: S101
    below = show(images.archive, base).volume
    point = scene.cursor_mm or centre_of(below)
    place = _place(below.grid, scene, point)
    shown = [(images.nearest(base, [point])[0], _window(below, base, scene))]
    above = None
    if scene.overlay is not None and scene.mode != "base":
        over = show(images.archive, scene.overlay, base.series).volume
        above = over, _window(over, scene.overlay, scene)
        shown.append((images.headers(scene.overlay)[0], above[1]))
    how = Together.named(scene.slab_mm, scene.projection, _LIKE.get(scene.mode, scene.mode), scene.blend)
    pixels = picture(place, (below, shown[0][1]), above, how)
    if annotate:
        pixels = written_on(pixels, shown, place)
    sources = [header for header, _ in shown]
    capture = Capture(
        pixels[np.newaxis],
        burned_in_annotation=annotate,
        planes=(place.grid(FrameOfReference(below.grid.frame.uid)),),
    )
    provenance = Provenance(
        "picture of a bookmark",
        {"bookmark": str(number), "plane": scene.active, "mode": scene.mode, "blend": f"{scene.blend:g}"},
        tuple(map(reference_to, sources)),
    )
    return build_capture(
        capture, sources, series, provenance, making, single=True, derivation=codes.MULTIPLANAR_REFORMATTING
    )


def _place(grid: Grid, scene: Scene, point: tuple[float, float, float]) -> Place:
    """A square that holds the base, in the plane through a point."""
    right, down = _ways(scene.turn, scene.active)
    corners = grid.corners_mm
    ends = [(corners @ way).min() for way in (right, down)], [(corners @ way).max() for way in (right, down)]
    size = float(max(np.subtract(ends[1], ends[0])))
    middle = np.add(*ends) / 2
    centre = np.array(point) + sum((middle[at] - point @ way) * way for at, way in enumerate((right, down)))
    return Place(_three(centre), _three(right), _three(down), size / (_PIXELS - 1), _PIXELS, _PIXELS)


def _ways(turn: tuple[float, ...] | None, plane: str) -> npt.NDArray[np.float64]:
    """To the right and down: tilted, by the shortest way, and not rolled, as the workstation shows it."""
    right, down, onward = np.array(_UPRIGHT.get(plane, _UPRIGHT["axial"]), dtype=np.float64)
    if turn is None:
        return np.stack((right, down))
    left, back, head = np.array(turn).reshape(3, 3)
    towards = {"coronal": back, "sagittal": left}.get(plane, -head)
    cosine, hinge = onward @ towards, np.cross(onward, towards)
    if 1 + cosine < _OPPOSITE:
        return np.stack((-right, down))
    turned = [way * cosine + np.cross(hinge, way) + hinge * (hinge @ way) / (1 + cosine) for way in (right, down)]
    return np.stack(turned)


def _window(volume: Volume, view: SeriesView, scene: Scene) -> Window:
    look = scene.looks.get(view.series)
    if look is None:
        # Never on the screen, so that nobody chose a window: all of its values.
        look = Look(float(volume.voxels.min()), float(volume.voxels.max()) or 1.0)
    name = look.colours
    if look.is_inverted and name in (ColourMap.GRAY, ColourMap.INVERTED):
        name = ColourMap.INVERTED if name == ColourMap.GRAY else ColourMap.GRAY
    return Window(look.low, max(look.high, look.low + 1e-6), ColourMap(name))


def _three(vector: object) -> tuple[float, float, float]:
    x, y, z = np.asarray(vector, dtype=np.float64).tolist()
    return x, y, z
